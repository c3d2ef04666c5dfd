import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  getOperationAST,
  Kind,
  locatedError,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { IngestResult } from '../ingest/ingest.ts'
import type { Context } from '../schema/context.ts'
import { schema } from '../schema/index.ts'
import { REPORT_PAYLOAD, type ReportMetricsInput, reportMetrics } from '../schema/report-metrics.ts'
import { type CompiledInput, compileInput, UNDECIDED } from './compile-input.ts'

/**
 * What runs a call of reportMetrics; null where graphql-js has to, because of what the variables are. Errors are
 * located, not yet translated.
 */
export type ReportCall = (
  variables: Readonly<Record<string, unknown>> | null | undefined,
) => ((context: Context) => Promise<ExecutionResult>) | null

/**
 * The operation that trainers send over and over, run without what graphql-js and the plugins of the schema
 * do again for every operation: a document with nothing but `reportMetrics(input: $variable)` and plain fields
 * of its payload. The input is coerced by functions made once for its type, and the resolver's own function
 * is called; whatever is unusual is left to graphql-js, which is the reference in the tests.
 *
 * @returns null for any other operation
 */
export function compileReportCall(document: DocumentNode, operationName?: string | null): ReportCall | null {
  const operation = getOperationAST(document, operationName)
  const field = operation && onlyField(operation)
  if (!operation || field?.name.value !== 'reportMetrics') return null
  const variable = inputVariable(operation, field)
  const payload = field.selectionSet && compilePayload(field.selectionSet)
  if (!variable || !payload) return null
  const coerce = inputCoercion()
  const name = field.alias?.value ?? 'reportMetrics'

  return (variables) => {
    const given = variables?.[variable]
    const input = given === undefined ? UNDECIDED : coerce(given)
    if (input === UNDECIDED) return null
    return (context) =>
      reportMetrics(input as ReportMetricsInput, context).then(
        (result): ExecutionResult => ({ data: { [name]: payload(result) } }),
        (error): ExecutionResult => ({ errors: [locatedError(error, field, [name])], data: null }),
      )
  }
}

/** More fields than anybody needs; graphql-js knows the bounds of an operation. */
const MAX_FIELDS = 20

function onlyField({ operation, directives, selectionSet }: OperationDefinitionNode): FieldNode | null {
  if (operation !== OperationTypeNode.MUTATION || directives?.length) return null
  const [field, ...others] = selectionSet.selections
  return field?.kind === Kind.FIELD && !field.directives?.length && others.length === 0 ? field : null
}

/** The name of the variable that is the whole input, where it is the only one and must be given. */
function inputVariable({ variableDefinitions = [] }: OperationDefinitionNode, field: FieldNode) {
  const [definition, ...others] = variableDefinitions
  const value = field.arguments?.[0]?.value
  const isWhole = value?.kind === Kind.VARIABLE && definition?.variable.name.value === value.name.value
  const isPlain = !definition?.defaultValue && !definition?.directives?.length && others.length === 0
  return isWhole && isPlain ? value.name.value : null
}

function compilePayload({ selections }: SelectionSetNode): ((result: IngestResult) => object) | null {
  if (selections.length > MAX_FIELDS) return null
  const fields = new Map<string, (result: IngestResult) => unknown>()
  for (const field of selections) {
    if (field.kind !== Kind.FIELD || field.directives?.length) return null
    const resolve = REPORT_PAYLOAD.get(field.name.value)
    if (!resolve) return null
    fields.set(field.alias?.value ?? field.name.value, resolve)
  }
  return (result) => {
    const payload: Record<string, unknown> = {}
    for (const [name, resolve] of fields) payload[name] = resolve(result)
    return payload
  }
}

let compiledInput: CompiledInput | undefined

function inputCoercion(): CompiledInput {
  const type = schema.getMutationType()?.getFields().reportMetrics?.args[0]?.type
  compiledInput ??= (type && compileInput(type)) ?? (() => UNDECIDED)
  return compiledInput
}
