import { Lexer, Source, type Token, TokenKind } from 'graphql'
import { EpochcastError, quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'

/**
 * The size of a document in tokens, comments among them. One pass over the text, before it is parsed: the parser
 * recurses into every bracket, and what comes behind it is bounded by what it makes of the text.
 *
 * @throws EpochcastError DOCUMENT_TOO_LARGE, QUERY_TOO_COMPLEX where a bound is passed; GraphQLError where the text
 * has what is no token
 */
export function countTokens(text: string): number {
  checkBytes(text)
  const found = { tokens: 0, nesting: 0, maxNesting: 0, longestName: '' }
  const lexer = new Lexer(new Source(text))
  let problem: unknown
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      found.tokens += 1 + commentsBefore(token)
      if (OPENING.has(token.kind)) found.nesting++
      else if (CLOSING.has(token.kind)) found.nesting--
      else if (token.kind === TokenKind.NAME && token.value.length > found.longestName.length)
        found.longestName = token.value
      if (found.nesting > found.maxNesting) found.maxNesting = found.nesting
    }
    found.tokens += commentsBefore(lexer.token)
  } catch (error) {
    problem = error
  }
  // What is too large is so whatever comes behind the place where it is wrong.
  const { tokens, maxNesting, longestName } = found
  if (tokens > LIMITS.documentTokens) {
    throw new EpochcastError(
      'DOCUMENT_TOO_LARGE',
      `the document has ${tokens} tokens; expected at most ${LIMITS.documentTokens}`,
    )
  }
  if (longestName.length > LIMITS.documentNameLength) {
    throw new EpochcastError(
      'DOCUMENT_TOO_LARGE',
      `the document has the name ${quote(longestName)}; expected names of at most ${LIMITS.documentNameLength} characters`,
    )
  }
  if (maxNesting > LIMITS.documentNesting) {
    throw new EpochcastError(
      'QUERY_TOO_COMPLEX',
      `the document has ${maxNesting} brackets within each other; expected at most ${LIMITS.documentNesting}`,
    )
  }
  if (problem) throw problem
  return tokens
}

function checkBytes(text: string): void {
  // A character has at most three bytes; most documents need not be counted.
  if (text.length * 3 <= LIMITS.documentBytes) return
  const bytes = Buffer.byteLength(text)
  if (bytes <= LIMITS.documentBytes) return
  throw new EpochcastError(
    'DOCUMENT_TOO_LARGE',
    `the document has ${bytes} bytes; expected at most ${LIMITS.documentBytes}`,
  )
}

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

/** The lexer passes over comments, and yet keeps them as long as the document. */
function commentsBefore(token: Token): number {
  let count = 0
  for (let before = token.prev; before?.kind === TokenKind.COMMENT; before = before.prev) count++
  return count
}
