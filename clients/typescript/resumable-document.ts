import { secondsSince } from './away.ts'
import { scanOperation, variableName } from './document-scan.ts'

const AFTER = 'epochcastAfter'
const CURSOR = 'epochcastCursor'
const TYPENAME = 'epochcastTypename'

type Variables = Readonly<Record<string, unknown>>

export interface OperationText {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
}

/** What a subscription had received when it is sent. */
export interface Progress {
  /** Of the newest event; null before the first. */
  readonly cursor: string | null
  /** When its last value came, in milliseconds; null before the first. */
  readonly heardAt: number | null
}

export interface StreamValue {
  readonly typename: string | undefined
  readonly cursor: string | undefined
  readonly error: string | undefined
}

/**
 * A document that can be sent so that it goes on where it stood. Most are sent as they are: what a server with
 * `EPOCHCAST_TRUSTED_DOCUMENTS` runs must not be changed. One of `trainingProgress` or `taskOutput` that lacks a variable for `after` is
 * given one when it comes back, and one that lacks `cursor` or `__typename` is asked for it under a name of our own, which is
 * taken out of the results.
 */
export interface ResumableDocument {
  readonly type: 'query' | 'mutation' | 'subscription'
  /** Whether it has the events of a training; else it opens with the present state whenever it is sent. */
  readonly hasEvents: boolean
  /** Whether it goes on at its cursor when it is sent again. */
  readonly goesOn: boolean
  /** Whether each sending brings a value at once. */
  readonly opensWithValue: boolean
  query(progress: Progress): string
  variables(variables: Variables | null | undefined, progress: Progress): Variables | null | undefined
  /** What of a result tells how the stream stands; takes out what the document did not ask for. */
  take(data: Record<string, unknown>): StreamValue
}

const NO_VALUE: StreamValue = { typename: undefined, cursor: undefined, error: undefined }

/** @param text what a server cannot run is sent as it is, for the server to say so */
export function resumableDocument({ query, operationName, extensions }: OperationText): ResumableDocument {
  const operation = scanOperation(query, operationName)
  const events = operation?.field('trainingProgress')
  const output = operation?.field('taskOutput')
  const updates = operation?.field('taskUpdates')
  const plain = {
    type: operation?.type ?? 'query',
    hasEvents: false,
    goesOn: false,
    opensWithValue: !updates && !output,
    query: () => query,
    variables: (variables: Variables | null | undefined) => variables,
    take: () => NO_VALUE,
  }
  if (operation?.type !== 'subscription') return plain
  const followed = events ?? output
  if (followed) {
    // One that is known to the server by its hash has to stay what it is.
    const isFixed = extensions?.persistedQuery !== undefined
    const added = [
      followed.selects.has('cursor') ? '' : `${CURSOR}: cursor`,
      !events || events.selects.has('__typename') ? '' : `${TYPENAME}: __typename`,
    ].join(' ')
    const asked = isFixed || added === ' ' ? query : followed.withSelection(added)
    const after = variableName(followed.arguments.get('after'))
    let resumed: string | undefined
    return {
      ...plain,
      hasEvents: Boolean(events),
      goesOn: true,
      query: ({ cursor }) => {
        if (cursor === null || after !== undefined || isFixed) return asked
        resumed ??= scanOperation(asked, operationName)
          ?.field(events ? 'trainingProgress' : 'taskOutput')
          ?.withArgument('after', `$${AFTER}`, `$${AFTER}: Cursor`)
        return resumed ?? asked
      },
      variables: (variables, { cursor }) =>
        cursor === null ? variables : { ...variables, [after ?? AFTER]: cursor },
      take: (data) => takeFrom(data[followed.responseKey]),
    }
  }
  const within = variableName(updates?.arguments.get('finishedWithinSeconds'))
  if (within === undefined) return plain
  return {
    ...plain,
    variables: (variables, { heardAt }) =>
      heardAt === null ? variables : { ...variables, [within]: secondsSince(heardAt) },
  }
}

function takeFrom(value: unknown): StreamValue {
  if (typeof value !== 'object' || value === null) return NO_VALUE
  const fields = value as Record<string, string | undefined>
  const { [CURSOR]: ownCursor, [TYPENAME]: ownTypename } = fields
  delete fields[CURSOR]
  delete fields[TYPENAME]
  const { __typename = ownTypename, cursor = ownCursor, error } = fields
  return { typename: __typename, cursor, error }
}
