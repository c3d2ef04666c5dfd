import { builder } from './builder.ts'
import { channelPrefix, taskId } from './validation.ts'

const DeleteTaskInput = builder.inputType('DeleteTaskInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
  }),
})

const DeleteTaskPayload = builder.objectRef<{ readonly taskId: string }>('DeleteTaskPayload').implement({
  fields: (t) => ({
    taskId: t.exposeID('taskId', { description: 'The id of the task that is gone.' }),
  }),
})

builder.mutationField('deleteTask', (t) =>
  t.field({
    type: DeleteTaskPayload,
    description:
      'Drops a finished task with its log and curves; refused (TASK_NOT_ENDED) before its end. One that was given up (Abandoned) has ended: a trainer of it that is still there has nowhere to report to. Its idempotencyKey may then start another.',
    args: { input: t.arg({ type: DeleteTaskInput, required: true }) },
    resolve: async (_, { input: { taskId, channelPrefix } }, { caller, services }) => {
      await services.records.delete(caller, taskId, channelPrefix ?? null)
      return { taskId }
    },
  }),
)
