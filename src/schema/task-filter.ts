import { TASK_ORDERS } from '../repository/find-tasks.ts'
import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { TaskStatusEnum } from './enums.ts'
import { jsonObjectUpTo, line, listOf, namesOf, text } from './validation.ts'

export const TaskFilterInput = builder.inputType('TaskFilter', {
  description: 'All conditions that are given must hold.',
  fields: (t) => ({
    ids: t.idList({ validate: namesOf('ids', LIMITS.filterIds, LIMITS.taskIdLength) }),
    statuses: t.field({ type: [TaskStatusEnum], validate: listOf('statuses', 0, LIMITS.filterIds) }),
    channelPrefix: t.string({ validate: line(LIMITS.channelPrefixLength) }),
    machineId: t.id({ validate: line(LIMITS.machineIdLength) }),
    trainer: t.string({ validate: line(LIMITS.trainerNameLength) }),
    text: t.string({
      description:
        "Words, all of which occur in the task's name, id, trainer, machine or label values; case does not matter.",
      validate: text(LIMITS.filterText),
    }),
    labels: t.field({
      type: 'JSON',
      description:
        'Label values that must be there, e.g. {"team": "vision"}: strings, numbers and booleans, in objects as deep as the labels have them.',
      validate: jsonObjectUpTo(LIMITS.labelsBytes),
    }),
    createdAfter: t.field({ type: 'DateTime', description: 'That very time is left out.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'That very time is left out.' }),
  }),
})

export const TaskOrderEnum = builder.enumType('TaskOrder', { values: TASK_ORDERS })
