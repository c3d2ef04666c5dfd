import type { Json } from '../../task/task.ts'
import type { CeleryTrainer, Submission } from '../launcher.ts'

type Given = Pick<Submission, 'key' | 'attempt' | 'params' | 'reportToken'>

/** What is known of a job beside its parameters, by the names under which arguments ask for it. */
const KNOWN: Readonly<Record<string, (job: Given) => Json>> = {
  taskId: ({ key }) => key.id,
  channelPrefix: ({ key }) => key.channelPrefix,
  attempt: ({ attempt }) => attempt,
  reportToken: ({ reportToken }) => reportToken,
  params: ({ params }) => params,
  machineId: ({ params }) => params.machine_id ?? null,
}

/** What a Celery task is called with. */
export function argumentsOf(
  { args, kwargs }: Pick<CeleryTrainer, 'args' | 'kwargs'>,
  job: Given,
): { args: Json[]; kwargs: Record<string, Json> } {
  const find = (name: string): Json =>
    Object.hasOwn(KNOWN, name) ? (KNOWN[name]?.(job) ?? null) : (job.params[name] ?? null)
  return {
    args: args.map(find),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, of]) => [name, find(of)])),
  }
}

/** The parameters that arguments ask for, by name. */
export const paramsAskedFor = ({ args, kwargs }: Pick<CeleryTrainer, 'args' | 'kwargs'>): string[] =>
  [...args, ...Object.values(kwargs)].flatMap((name) => {
    if (name === 'machineId') return ['machine_id']
    return Object.hasOwn(KNOWN, name) ? [] : [name]
  })
