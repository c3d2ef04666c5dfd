import type { Started } from '../dispatch/dispatch.ts'
import { LIMITS } from '../task/limits.ts'
import type { Json } from '../task/task.ts'
import { builder } from './builder.ts'
import { TaskObject } from './task.ts'
import {
  channelPrefix,
  jsonObjectUpTo,
  jsonUpTo,
  line,
  machineId,
  taskId,
  wholeNumber,
} from './validation.ts'

const StartTrainingInput = builder.inputType('StartTrainingInput', {
  fields: (t) => ({
    trainer: t.string({
      description:
        "A trainer of this server's configuration; `external` registers a run that trains elsewhere. Left out, it is the configuration's default.",
      validate: line(LIMITS.trainerNameLength),
    }),
    name: t.string({
      description: 'For people; any text, not unique.',
      validate: line(LIMITS.taskNameLength),
    }),
    retryOf: t.id({
      description:
        'A finished task to repeat: its trainer, parameters, machine, labels and channelPrefix, where none are given here. A parameter that is given replaces that of the same name.',
      validate: taskId,
    }),
    channelPrefix: t.string({
      description: "The trainer's own by default, or else the server's first.",
      validate: channelPrefix,
    }),
    machineId: t.id({
      description: 'The machine that the training is about; the trainer gets it as parameter machine_id.',
      validate: machineId,
    }),
    epochs: t.int({
      description: 'The trainer gets it as parameter epochs.',
      validate: wholeNumber(1, LIMITS.epochs),
    }),
    params: t.field({
      type: 'JSON',
      description: "An object with the trainer's further parameters, checked against its JSON Schema.",
      validate: jsonObjectUpTo(LIMITS.paramsBytes),
    }),
    labels: t.field({
      type: 'JSON',
      description: 'Anything that helps to find the task again; kept as it is.',
      validate: jsonUpTo(LIMITS.labelsBytes),
    }),
    idempotencyKey: t.string({
      description: 'The same key gives the same task, however often the call is repeated.',
      validate: line(LIMITS.idempotencyKeyLength),
    }),
  }),
})

const StartTrainingPayload = builder.objectRef<Started>('StartTrainingPayload').implement({
  fields: (t) => ({
    task: t.field({ type: TaskObject, resolve: ({ snapshot }) => snapshot }),
    reportToken: t.exposeString('reportToken', {
      nullable: true,
      description:
        'Lets its bearer report to this task and nothing else. Null where the server runs without auth.',
    }),
  }),
})

builder.mutationField('startTraining', (t) =>
  t.field({
    type: StartTrainingPayload,
    description: "Creates a task and hands it to the trainer's launcher. Same idempotencyKey, same task.",
    args: { input: t.arg({ type: StartTrainingInput, required: true }) },
    resolve: (_, { input }, { caller, services }) =>
      services.dispatch.start(caller, {
        trainer: input.trainer ?? null,
        name: input.name ?? null,
        channelPrefix: input.channelPrefix ?? null,
        machineId: input.machineId ?? null,
        epochs: input.epochs ?? null,
        params: (input.params ?? {}) as Readonly<Record<string, Json>>,
        labels: input.labels ?? null,
        retryOf: input.retryOf ?? null,
        idempotencyKey: input.idempotencyKey ?? null,
      }),
  }),
)
