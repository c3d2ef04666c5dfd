import type { Definition } from './definition.ts'

/** Of Redis channels of other programs: what is heard there, and what is published for them. */
export const BRIDGE_DEFINITIONS: readonly Definition[] = [
  {
    kind: 'counter',
    name: 'epochcast_bridge_messages_total',
    help: 'Messages heard on Redis channels (EPOCHCAST_BRIDGE), by what became of them; each is counted by the server whose turn it was.',
    label: 'outcome',
    read: ({ bridge }) => bridge?.counts ?? {},
  },
  {
    kind: 'gauge',
    name: 'epochcast_bridge_messages_held',
    help: 'Messages heard on Redis channels that wait, or are held in case the server that reports them is gone.',
    read: ({ bridge }) => bridge?.heldCount ?? 0,
  },
  {
    kind: 'gauge',
    name: 'epochcast_bridge_active',
    help: 'Whether this server reports what is published on Redis channels; one of all servers does.',
    read: ({ bridge }) => Number(bridge?.isOwner ?? false),
  },
  {
    kind: 'counter',
    name: 'epochcast_mirror_events_total',
    help: 'Events to be published on Redis channels (EPOCHCAST_BRIDGE_MIRROR), by what became of them; each is counted by the server that appended it.',
    label: 'outcome',
    read: ({ mirror }) => mirror?.counts ?? {},
  },
  {
    kind: 'gauge',
    name: 'epochcast_mirror_events_waiting',
    help: 'Events that wait to be published on Redis channels, or that Redis has not confirmed yet.',
    read: ({ mirror }) => mirror?.waitingCount ?? 0,
  },
]
