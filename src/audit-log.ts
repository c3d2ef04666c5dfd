import type { Logger } from 'pino'
import type { Audit } from './repository/audit.ts'
import { channelOf } from './task/task.ts'

/** Lines of their own, with `audit: true`, for whoever has to know later who did what. */
export function auditLog(logger: Logger): Audit {
  const lines = logger.child({ audit: true })
  return ({ action, caller: { subject, address }, task, ...more }) => {
    const channel = channelOf(task)
    lines.info(
      { action, subject, address, task: channel, ...more },
      `${subject ?? 'anyone'}: ${action} ${channel}`,
    )
  }
}
