import type { Snapshot } from '../event-log/event-log.ts'
import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { TaskObject } from './task.ts'
import { channelPrefix, jsonObjectUpTo, line, taskId } from './validation.ts'

const UpdateTaskInput = builder.inputType('UpdateTaskInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
    name: t.string({
      description: 'Left as it is where not given; null takes the name away.',
      validate: line(LIMITS.taskNameLength),
    }),
    labels: t.field({
      type: 'JSON',
      description: 'Replaces all labels where given; null takes them away.',
      validate: jsonObjectUpTo(LIMITS.labelsBytes),
    }),
  }),
})

const UpdateTaskPayload = builder.objectRef<Snapshot>('UpdateTaskPayload').implement({
  fields: (t) => ({ task: t.field({ type: TaskObject, resolve: (snapshot) => snapshot }) }),
})

builder.mutationField('updateTask', (t) =>
  t.field({
    type: UpdateTaskPayload,
    description:
      'Changes what people call a task, running or finished: name and labels. It is no event of the task.',
    args: { input: t.arg({ type: UpdateTaskInput, required: true }) },
    resolve: (_, { input }, { caller, services }) => {
      const { name, labels } = input
      return services.records.update(caller, input.taskId, input.channelPrefix ?? null, { name, labels })
    },
  }),
)
