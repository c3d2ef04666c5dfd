import type { TaskStatus } from '../typescript/index.ts'

/** What a command ends with, for scripts. */
export const EXIT = {
  success: 0,
  failure: 1,
  cancelled: 2,
  /** Wrong usage, no connection, a refusal of the server. */
  error: 3,
  interrupted: 130,
} as const

export function exitCodeOf(status: TaskStatus): number {
  if (status === 'SUCCESS') return EXIT.success
  if (status === 'CANCELLED') return EXIT.cancelled
  return status === 'FAILURE' ? EXIT.failure : EXIT.error
}
