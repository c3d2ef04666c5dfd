// The events of the references: what Epochcast delivers for the same report, field by field and length by length.
import { type Progress, percentage } from '../client/workload.ts'

/** The id of every message of a server that broadcasts one and the same string. */
export const SHARED_ID = '00000000-0000-4000-8000-000000000000'
/** As long as Epochcast's. */
const CURSOR_START = '1abcdef.ABCDEFG.'

export const cursorAt = (offset: number) => `${CURSOR_START}${offset.toString(36)}`

/** The fields that a viewer selects, in the order of the selection. */
export function selectedEvent(progress: Progress, offset: number) {
  const { current, total, loss, metrics, message } = progress
  return {
    __typename: 'ProgressUpdate',
    cursor: cursorAt(offset),
    timestamp: new Date().toISOString(),
    current,
    total,
    progress: percentage(progress),
    loss,
    metrics,
    message,
  }
}

/** All fields, as an application would publish them. */
export function wholeEvent(taskId: string, progress: Progress, offset: number) {
  return {
    ...selectedEvent(progress, offset),
    taskId,
    status: 'RUNNING',
    machineId: null,
    stage: null,
    epoch: null,
    step: null,
    member: null,
  }
}

export function openingEvent(taskId: string) {
  return {
    __typename: 'StreamOpened',
    cursor: cursorAt(1),
    timestamp: new Date().toISOString(),
    channel: channelOf(taskId),
    task: { status: 'RUNNING', current: 0, total: null },
  }
}

export const channelOf = (taskId: string) => `gan:training:${taskId}`

/** A message of the WebSocket, finished for all subscribers. */
export function messageOf(id: string, event: object) {
  return JSON.stringify({ id, type: 'next', payload: { data: { trainingProgress: event } } })
}
