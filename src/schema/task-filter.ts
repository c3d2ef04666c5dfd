import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { TaskStatusEnum } from './enums.ts'
import { line, listOf } from './validation.ts'

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: 'All conditions that are given must hold.',
  fields: (t) => ({
    ids: t.idList({ validate: listOf('ids', 0, LIMITS.filterIds) }),
    statuses: t.field({ type: [TaskStatusEnum], validate: listOf('statuses', 0, LIMITS.filterIds) }),
    channelPrefix: t.string({ validate: line(LIMITS.channelPrefixLength) }),
    machineId: t.id({ validate: line(LIMITS.machineIdLength) }),
    trainer: t.string({ validate: line(LIMITS.trainerNameLength) }),
  }),
})
