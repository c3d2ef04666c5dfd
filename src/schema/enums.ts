import { PHASES, type TASK_STATUSES } from '../task/task.ts'
import { builder } from './builder.ts'

export const TaskStatusEnum = builder.enumType('TaskStatus', {
  values: {
    QUEUED: { description: 'Accepted, waiting for a trainer.' },
    RUNNING: { description: 'A trainer is at work.' },
    STALLED: {
      description: 'Running, but its trainer has been silent for longer than the liveness window.',
    },
    SUCCESS: { description: 'Final: the trainer reported success.' },
    FAILURE: { description: 'Final: the trainer reported a failure, or came to an end without a result.' },
    CANCELLED: { description: 'Final: it stopped because somebody asked it to.' },
  } satisfies Record<(typeof TASK_STATUSES)[number], unknown>,
})

export const PhaseEnum = builder.enumType('Phase', { values: PHASES })

export const SkipReasonEnum = builder.enumType('SkipReason', {
  values: {
    TRIMMED: { description: 'The cursor points before the oldest event that is still retained.' },
    LOG_RESET: {
      description: 'The log was recreated (the store lost its data): the cursor is from an earlier log.',
    },
  },
})
