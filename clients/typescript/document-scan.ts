/**
 * Finds a field of an operation, and edits the operation's text there. graphql's own parser would be three quarters of
 * what a page may load of this client; what is needed of it is where tokens begin and end.
 */

interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Strings come whole, so that nothing in them is taken for more; commas, blanks and comments are no tokens. */
const TOKEN =
  /#[^\n\r]*|"""(?:\\"""|[^"]|"{1,2}(?!"))*"""|"(?:\\.|[^"\\\n\r])*"|\.\.\.|[_A-Za-z]\w*|-?\d[\d.eE+-]*|[!$&()|:=@[\]{}]/g

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (!token.startsWith('#')) tokens.push({ text: token, start: index, end: index + token.length })
  }
  return tokens
}

export interface ScannedField {
  /** Under which results have it. */
  readonly responseKey: string
  /** By name: the text of its value; a variable with its `$`. */
  readonly arguments: ReadonlyMap<string, string>
  /** Fields that its own selection has, without alias, argument or directive. */
  readonly selects: ReadonlySet<string>
  /** The document with this argument set, and this added to the variables of the operation. */
  withArgument(name: string, value: string, variableDefinition: string): string
  /** The document with these fields added to the selection. */
  withSelection(fields: string): string
}

export interface ScannedOperation {
  readonly type: 'query' | 'mutation' | 'subscription'
  /** The first field of this name in the operation or in a fragment. */
  field(name: string): ScannedField | null
}

/** The operation that a server would run; null where there is none. */
export function scanOperation(text: string, operationName?: string | null): ScannedOperation | null {
  const tokens = tokensOf(text)
  const definitions = definitionsOf(tokens)
  const operation = definitions.find(
    ({ type, name }) => type !== 'fragment' && (operationName == null || name === operationName),
  )
  if (!operation) return null
  const reachable = definitions.filter(
    (definition) => definition === operation || definition.type === 'fragment',
  )
  return {
    type: operation.type as ScannedOperation['type'],
    field: (name) => {
      for (const { bodyAt, endAt } of reachable) {
        const at = findField(tokens, bodyAt, endAt, name)
        if (at !== null) return scanField(text, tokens, at, operation)
      }
      return null
    },
  }
}

interface Definition {
  readonly type: string
  readonly name: string | undefined
  /** Tokens: the first of the definition, its `{` and the one after its `}`. */
  readonly startAt: number
  readonly bodyAt: number
  readonly endAt: number
}

function definitionsOf(tokens: readonly Token[]): Definition[] {
  const found: Definition[] = []
  for (let at = 0; at < tokens.length; ) {
    const first = textAt(tokens, at)
    const bodyAt = skipTo(tokens, at, '{')
    const endAt = skipGroup(tokens, bodyAt)
    const second = textAt(tokens, at + 1)
    found.push({
      type: first === '{' ? 'query' : first,
      name: /^\w/.test(second) && first !== '{' ? second : undefined,
      startAt: at,
      bodyAt,
      endAt,
    })
    at = endAt
  }
  return found
}

const OPEN = new Set(['{', '(', '['])
const CLOSE = new Set(['}', ')', ']'])

const textAt = (tokens: readonly Token[], at: number): string => tokens[at]?.text ?? ''

/** The next token of this text that is in no group. */
function skipTo(tokens: readonly Token[], from: number, text: string): number {
  let at = from
  while (at < tokens.length && textAt(tokens, at) !== text) at = skipGroup(tokens, at)
  return at
}

/** The token after this one, or after the group that it opens. */
function skipGroup(tokens: readonly Token[], from: number): number {
  let depth = 0
  let at = from
  do {
    const text = textAt(tokens, at++)
    if (OPEN.has(text)) depth++
    else if (CLOSE.has(text)) depth--
  } while (depth > 0 && at < tokens.length)
  return at
}

function findField(tokens: readonly Token[], from: number, to: number, name: string): number | null {
  for (let at = from; at < to; at++) {
    const text = textAt(tokens, at)
    if (text === '(') at = skipGroup(tokens, at) - 1
    else if (text === name && isField(tokens, at)) return at
  }
  return null
}

/** Not an alias, a fragment's name, a type condition or a directive. */
function isField(tokens: readonly Token[], at: number): boolean {
  const before = textAt(tokens, at - 1)
  const isAlias = textAt(tokens, at + 1) === ':'
  return (
    !isAlias && before !== '...' && before !== '@' && !(before === 'on' && textAt(tokens, at - 2) === '...')
  )
}

function scanField(text: string, tokens: readonly Token[], at: number, operation: Definition): ScannedField {
  const isAliased = textAt(tokens, at - 1) === ':'
  const hasArguments = textAt(tokens, at + 1) === '('
  const selectionAt = skipTo(tokens, at + 1, '{')
  const values = new Map<string, { readonly start: number; readonly end: number }>()
  if (hasArguments) {
    const end = skipGroup(tokens, at + 1) - 1
    for (let name = at + 2; name < end; ) {
      const value = name + 2
      const after = textAt(tokens, value) === '$' ? value + 2 : skipGroup(tokens, value)
      values.set(textAt(tokens, name), { start: startOf(tokens, value), end: endOf(tokens, after - 1) })
      name = after
    }
  }
  return {
    responseKey: textAt(tokens, isAliased ? at - 2 : at),
    arguments: new Map([...values].map(([name, { start, end }]) => [name, text.slice(start, end)])),
    selects: selectionOf(tokens, selectionAt),
    withArgument: (name, value, variableDefinition) => {
      const known = values.get(name)
      const afterName = endOf(tokens, hasArguments ? at + 1 : at)
      const argument = hasArguments ? `${name}: ${value}, ` : `(${name}: ${value})`
      return edited(text, [
        known ? { ...known, text: value } : { start: afterName, end: afterName, text: argument },
        variableEdit(tokens, operation, variableDefinition),
      ])
    },
    withSelection: (fields) => {
      const start = endOf(tokens, selectionAt)
      return edited(text, [{ start, end: start, text: ` ${fields} ` }])
    },
  }
}

/** `$x` may have blanks in it. */
export const variableName = (value: string | undefined): string | undefined =>
  value?.match(/^\$\s*(\w+)$/)?.[1]

function selectionOf(tokens: readonly Token[], selectionAt: number): Set<string> {
  const fields = new Set<string>()
  const end = skipGroup(tokens, selectionAt) - 1
  for (let at = selectionAt + 1; at < end; at = skipGroup(tokens, at)) {
    const before = textAt(tokens, at - 1)
    const next = textAt(tokens, at + 1)
    const isPlain = before !== ':' && !'(@:{'.includes(next)
    if (isPlain && isField(tokens, at) && /^\w/.test(textAt(tokens, at))) fields.add(textAt(tokens, at))
  }
  return fields
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

function variableEdit(tokens: readonly Token[], operation: Definition, definition: string): Edit {
  const { startAt, bodyAt } = operation
  const hasName = operation.name !== undefined
  const at = startAt + (hasName ? 1 : 0)
  if (startAt !== bodyAt && textAt(tokens, at + 1) === '(') {
    const start = endOf(tokens, at + 1)
    return { start, end: start, text: `${definition}, ` }
  }
  const start = endOf(tokens, at)
  return { start, end: start, text: `(${definition})` }
}

function edited(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text }) => result.slice(0, start) + text + result.slice(end), text)
}

const startOf = (tokens: readonly Token[], at: number): number => tokens[at]?.start ?? 0
const endOf = (tokens: readonly Token[], at: number): number => tokens[at]?.end ?? 0
