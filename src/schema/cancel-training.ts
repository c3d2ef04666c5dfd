import type { Snapshot } from '../event-log/event-log.ts'
import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { TaskObject } from './task.ts'
import { channelPrefix, taskId, text } from './validation.ts'

const CancelTrainingInput = builder.inputType('CancelTrainingInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
    reason: t.string({ validate: text(LIMITS.reasonLength) }),
  }),
})

const CancelTrainingPayload = builder.objectRef<Snapshot>('CancelTrainingPayload').implement({
  fields: (t) => ({ task: t.field({ type: TaskObject, resolve: (snapshot) => snapshot }) }),
})

builder.mutationField('cancelTraining', (t) =>
  t.field({
    type: CancelTrainingPayload,
    description:
      'Asks the trainer to stop; a queued task never starts. A trainer that does not stop by itself is ended. Cancelling twice has no further effect.',
    args: { input: t.arg({ type: CancelTrainingInput, required: true }) },
    resolve: (_, { input }, { caller, services }) =>
      services.dispatch.cancel(caller, input.taskId, input.channelPrefix ?? null, input.reason ?? null),
  }),
)
