import type { DocumentNode } from 'graphql'

/** Clocks of servers differ, and a value is a moment under way. */
const TOLERANCE_SECONDS = 10
/** The API's bound. */
const MAX_SECONDS = 604_800

type Variables = Readonly<Record<string, unknown>>

/**
 * The variables of a subscription that comes back. taskUpdates opens with what has ended within
 * `finishedWithinSeconds`: it asks for all the time since it was last told something, so that no end is missed.
 *
 * @param heardAt when its last value came; null before the first
 */
export function variablesOnReturn(
  document: DocumentNode,
  variables: Variables,
  heardAt: number | null,
): Variables {
  const name = heardAt === null ? undefined : finishedWithinVariable(document)
  if (heardAt === null || name === undefined) return variables
  return { ...variables, [name]: secondsSince(heardAt) }
}

/** What to ask of `finishedWithinSeconds`, so that no end since then is missed. */
export function secondsSince(heardAt: number): number {
  return Math.min(MAX_SECONDS, Math.ceil((Date.now() - heardAt) / 1000) + TOLERANCE_SECONDS)
}

/** The variable that a document gives to `taskUpdates(finishedWithinSeconds)`. */
function finishedWithinVariable({ definitions }: DocumentNode): string | undefined {
  for (const definition of definitions) {
    // By what they have: `Kind` is of no use for anything else in a page.
    if (!('operation' in definition)) continue
    for (const field of definition.selectionSet.selections) {
      if (!('arguments' in field) || field.name.value !== 'taskUpdates') continue
      const argument = field.arguments?.find(({ name }) => name.value === 'finishedWithinSeconds')
      if (argument && 'name' in argument.value) return argument.value.name.value
    }
  }
  return undefined
}
