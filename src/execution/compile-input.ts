import {
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLLeafType,
  GraphQLNonNull,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'
import type { Bound } from '../schema/validation.ts'

/** A value that may be fine or not: graphql-js is to say, and what is wrong with it. */
export const UNDECIDED = Symbol('undecided')

/**
 * Coerces a value that came as JSON, as graphql-js and the bounds of the fields would. The value is taken
 * over: what has another form inside is replaced in place.
 */
export type CompiledInput = (value: unknown) => unknown

type InputObject = Record<string, unknown>

interface CompiledField {
  readonly coerce: CompiledInput
  readonly bounds: readonly Bound<unknown>[]
  readonly isRequired: boolean
}

/**
 * Coercion in graphql-js looks at the type of every value again and keeps its path for an error that hardly
 * ever comes, and so do the checks of bounds behind it. Here both are made once for a type, one function
 * for each value; a value that they do not take is left to graphql-js, as it came.
 *
 * @returns null for a type that is not covered; one that contains itself must not be given
 */
export function compileInput(type: GraphQLInputType): CompiledInput | null {
  if (isNonNullType(type)) {
    const coerce = compileInput(type.ofType)
    return coerce && ((value) => (value === null ? UNDECIDED : coerce(value)))
  }
  if (isListType(type)) {
    const coerce = compileInput(type.ofType)
    return coerce && nullOr((value) => (Array.isArray(value) ? coerceItems(value, coerce) : UNDECIDED))
  }
  if (!isInputObjectType(type)) return nullOr(leaf(type))
  const fields = new Map<string, CompiledField>()
  for (const field of Object.values(type.getFields())) {
    const coerce = compileInput(field.type)
    if (coerce === null || field.defaultValue !== undefined) return null
    fields.set(field.name, { coerce, bounds: boundsOf(field), isRequired: isRequired(field) })
  }
  const requiredCount = [...fields.values()].filter(({ isRequired }) => isRequired).length
  const coerceOneKind = nullOr((value) => coerceOnly(value, fields))
  return type.isOneOf ? coerceOneKind : nullOr((value) => coerceFields(value, fields, requiredCount))
}

const nullOr =
  (coerce: CompiledInput): CompiledInput =>
  (value) =>
    value === null ? null : coerce(value)

const isRequired = ({ type }: GraphQLInputField): boolean => type instanceof GraphQLNonNull

/** The bounds of a field's `validate`, where the validation plugin keeps them. */
function boundsOf({ extensions }: GraphQLInputField): readonly Bound<unknown>[] {
  const plugin = extensions['@pothos/plugin-validation'] as { schemas?: Bound<unknown>[] } | undefined
  return plugin?.schemas ?? []
}

function leaf(type: GraphQLLeafType): CompiledInput {
  switch (type.name) {
    case 'Int':
      return (value) => (typeof value === 'number' && value === (value | 0) ? value : UNDECIDED)
    case 'Count':
      return (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? value : UNDECIDED)
    case 'Float':
      return (value) => (Number.isFinite(value) ? value : UNDECIDED)
    case 'String':
    case 'ID':
      return (value) => (typeof value === 'string' ? value : UNDECIDED)
    case 'Boolean':
      return (value) => (typeof value === 'boolean' ? value : UNDECIDED)
    case 'JSON':
      // Its numbers must be exact, which only their text can tell.
      return () => UNDECIDED
  }
  if (isEnumType(type)) {
    return (value) => (typeof value === 'string' ? (type.getValue(value)?.value ?? UNDECIDED) : UNDECIDED)
  }
  return (value) => {
    try {
      return type.parseValue(value) ?? UNDECIDED
    } catch {
      return UNDECIDED
    }
  }
}

function coerceItems(items: unknown[], coerce: CompiledInput): unknown {
  for (let i = 0; i < items.length; i++) {
    const coerced = coerce(items[i])
    if (coerced === UNDECIDED) return UNDECIDED
    items[i] = coerced
  }
  return items
}

function coerceFields(
  value: unknown,
  fields: ReadonlyMap<string, CompiledField>,
  requiredCount: number,
): unknown {
  if (typeof value !== 'object' || Array.isArray(value)) return UNDECIDED
  let missing = requiredCount
  for (const name in value) {
    const field = fields.get(name)
    if (field === undefined || !coerceField(value as InputObject, name, field)) return UNDECIDED
    if (field.isRequired) missing--
  }
  return missing === 0 ? value : UNDECIDED
}

function coerceOnly(value: unknown, fields: ReadonlyMap<string, CompiledField>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return UNDECIDED
  const [name, ...others] = Object.keys(value)
  const field = name === undefined ? undefined : fields.get(name)
  if (field === undefined || name === undefined || others.length > 0) return UNDECIDED
  const object = value as InputObject
  return object[name] !== null && coerceField(object, name, field) ? object : UNDECIDED
}

function coerceField(object: InputObject, name: string, { coerce, bounds }: CompiledField): boolean {
  const given = object[name]
  const coerced = coerce(given)
  if (coerced === UNDECIDED) return false
  if (coerced !== null) for (const bound of bounds) if (!bound.holds(coerced)) return false
  if (coerced !== given) object[name] = coerced
  return true
}
