import {
  type ExecutionArgs,
  type GraphQLInputType,
  getNullableType,
  getOperationAST,
  isInputObjectType,
  isInputType,
  isListType,
  typeFromAST,
} from 'graphql'
import { EpochcastError, quote } from '../task/errors.ts'

/**
 * Refuses the first field of an input that its type does not have. graphql-js does so, too, but writes the whole object
 * into what it says of each of them: seconds for a megabyte. So this is for variables that are large.
 *
 * @throws EpochcastError BAD_INPUT
 */
export function checkFieldsAreKnown({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): void {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  for (const { variable, type: typeNode } of definitions) {
    const type = typeFromAST(schema, typeNode)
    const name = variable.name.value
    if (isInputType(type)) checkValue(variableValues?.[name], type, name)
  }
}

function checkValue(value: unknown, givenType: GraphQLInputType, path: string): void {
  const type = getNullableType(givenType)
  if (typeof value !== 'object' || value === null) return
  if (isListType(type)) {
    if (!Array.isArray(value)) return void checkValue(value, type.ofType, path)
    for (let i = 0; i < value.length; i++) checkValue(value[i], type.ofType, `${path}[${i}]`)
  } else if (isInputObjectType(type) && !Array.isArray(value)) {
    const fields = type.getFields()
    for (const name in value) {
      const field = fields[name]
      if (!field) {
        const found = `${path} has the field ${quote(name)}`
        throw new EpochcastError('BAD_INPUT', `${found}; expected only fields of ${type.name}`)
      }
      checkValue((value as Record<string, unknown>)[name], field.type, `${path}.${name}`)
    }
  }
}
