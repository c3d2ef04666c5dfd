/** What became of messages, since the process began. */
export type Outcome =
  /** It is an event of its task. */
  | 'reported'
  /** It was one already: another server had reported it. */
  | 'repeated'
  | 'malformed'
  | 'oversized'
  /** Its task does not take it: it has ended, say. */
  | 'refused'
  /** More waited than is kept. */
  | 'overflowed'

export const newCounts = (): Record<Outcome, number> => ({
  reported: 0,
  repeated: 0,
  malformed: 0,
  oversized: 0,
  refused: 0,
  overflowed: 0,
})
