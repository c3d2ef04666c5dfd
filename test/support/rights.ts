import type { Scope } from '../../src/repository/access.ts'

export interface Right {
  /** Null: anybody may. */
  readonly scope: Scope | null
  /** One operation with nothing but this field; of the task `$id`, where it names one. */
  readonly query: string
  /** The task has to have ended. */
  readonly isOfEnded?: boolean
  /** The task has to have output. */
  readonly needsOutput?: boolean
}

/** What each root field of the schema needs. */
export const RIGHTS: Readonly<Record<string, Right>> = {
  'Query.server': { scope: null, query: '{ server { version trainers { name } engine { connected } } }' },
  'Query.task': { scope: 'tasks:read', query: 'query ($id: ID!) { task(id: $id) { id } }' },
  'Query.tasks': { scope: 'tasks:read', query: '{ tasks { edges { node { id } } } }' },
  'Mutation.startTraining': {
    scope: 'tasks:start',
    query: 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }',
  },
  'Mutation.cancelTraining': {
    scope: 'tasks:cancel',
    query: 'mutation ($id: ID!) { cancelTraining(input: { taskId: $id }) { task { id } } }',
  },
  'Mutation.updateTask': {
    scope: 'tasks:write',
    query: 'mutation ($id: ID!) { updateTask(input: { taskId: $id, name: "x" }) { task { name } } }',
  },
  'Mutation.deleteTask': {
    scope: 'tasks:write',
    query: 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }',
    isOfEnded: true,
  },
  'Mutation.createViewLink': {
    scope: 'tasks:write',
    query: 'mutation ($id: ID!) { createViewLink(input: { taskId: $id }) { url } }',
  },
  'Mutation.reportMetrics': {
    scope: 'tasks:report',
    query: `mutation ($id: ID!) {
      reportMetrics(input: { taskId: $id, reports: [{ progress: { current: 1 } }] }) { accepted }
    }`,
  },
  'Mutation.reportOutput': {
    scope: 'tasks:report',
    query:
      'mutation ($id: ID!) { reportOutput(input: { taskId: $id, lines: [{ text: "x" }] }) { accepted } }',
  },
  'Subscription.taskOutput': {
    scope: 'tasks:read',
    query: 'subscription ($id: ID!) { taskOutput(taskId: $id, last: 1) { cursor } }',
    needsOutput: true,
  },
  'Subscription.trainingProgress': {
    scope: 'tasks:read',
    query: 'subscription ($id: ID!) { trainingProgress(taskId: $id) { cursor } }',
  },
  'Subscription.taskProgress': {
    scope: 'tasks:read',
    query: 'subscription ($id: ID!) { taskProgress(taskId: $id) { status } }',
  },
  'Subscription.taskUpdates': { scope: 'tasks:read', query: 'subscription { taskUpdates { id } }' },
  'Subscription.heartbeat': { scope: null, query: 'subscription { heartbeat { sequence } }' },
}
