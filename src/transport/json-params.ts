import { parseJson, parseText } from '../task/json.ts'
import { asksForDocument } from './document-request.ts'
import type { OperationParams } from './operations.ts'

/** What is asked for, null where it is not as GraphQL over HTTP has it, an error where it is no JSON. */
export function parseParams(text: string): OperationParams | null | SyntaxError {
  try {
    const params = parseText(text)
    return isObject(params) && isWellFormed(params) ? (params as unknown as OperationParams) : null
  } catch (error) {
    return error as SyntaxError
  }
}

/** Some put it in front of UTF-8, though it is no part of JSON. */
export const withoutByteOrderMark = (body: Buffer): Buffer =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body

/** What is known to be well-formed, with its numbers as they were written. */
export const exactParams = (text: string): OperationParams => parseJson(text) as OperationParams

function isWellFormed(params: Record<string, unknown>): boolean {
  for (const name in params) if (!PARAMS.has(name)) return false
  const { operationName, variables, extensions } = params
  return (
    asksForDocument(params) &&
    (operationName == null || typeof operationName === 'string') &&
    (variables == null || isObject(variables)) &&
    (extensions == null || isObject(extensions))
  )
}

const PARAMS: ReadonlySet<string> = new Set([
  'query',
  'operationName',
  'variables',
  'extensions',
  'documentId',
])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
