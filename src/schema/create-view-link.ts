import type { TaskLink } from '../auth/view-links.ts'
import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { channelPrefix, taskId, wholeNumber } from './validation.ts'

const { default: DEFAULT_SECONDS, min: MIN_SECONDS, max: MAX_SECONDS } = LIMITS.viewLinkSeconds

const CreateViewLinkInput = builder.inputType('CreateViewLinkInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
    expiresInSeconds: t.int({
      description: `${DEFAULT_SECONDS} by default, from ${MIN_SECONDS} to ${MAX_SECONDS}.`,
      validate: wholeNumber(MIN_SECONDS, MAX_SECONDS),
    }),
  }),
})

const CreateViewLinkPayload = builder.objectRef<TaskLink>('CreateViewLinkPayload').implement({
  fields: (t) => ({
    token: t.exposeString('token', {
      nullable: true,
      description:
        'Lets its bearer read this task, and nothing else. Null where the server runs without auth.',
    }),
    url: t.exposeString('url', { description: 'A page that shows the task; the token is behind its #.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
  }),
})

builder.mutationField('createViewLink', (t) =>
  t.field({
    type: CreateViewLinkPayload,
    description: 'A link by which one task can be watched by whoever has it, for a time.',
    args: { input: t.arg({ type: CreateViewLinkInput, required: true }) },
    resolve: (_, { input: { taskId, channelPrefix, expiresInSeconds } }, { caller, services }) =>
      services.viewLinks.create(caller, taskId, channelPrefix ?? null, expiresInSeconds ?? DEFAULT_SECONDS),
  }),
)
