/** A field of a form, made of one property of a trainer's JSON Schema. */
export interface ParamField {
  readonly name: string
  readonly description: string | null
  readonly kind: 'integer' | 'number' | 'boolean' | 'text' | 'choice' | 'json'
  readonly choices: readonly unknown[]
  readonly minimum: number | null
  readonly maximum: number | null
  readonly step: number | null
  readonly pattern: string | null
  readonly maxLength: number | null
  readonly isRequired: boolean
  /** What the trainer gets where nothing is given; undefined where it has none. */
  readonly preset: unknown
}

type Schema = Readonly<Record<string, unknown>>

/** In the order of the schema; null for a schema that names no properties, whose parameters are written as JSON. */
export function fieldsOf(schema: unknown): ParamField[] | null {
  const { properties, required } = (schema ?? {}) as {
    properties?: Record<string, Schema>
    required?: unknown
  }
  if (!properties || typeof properties !== 'object') return null
  const needed = Array.isArray(required) ? required : []
  return Object.entries(properties).map(([name, property]) => ({
    name,
    ...fieldOf(property),
    isRequired: needed.includes(name),
  }))
}

function fieldOf(property: Schema): Omit<ParamField, 'name' | 'isRequired'> {
  const { type, enum: choices } = property
  const number = (key: string) => (typeof property[key] === 'number' ? (property[key] as number) : null)
  const text = (key: string) => (typeof property[key] === 'string' ? (property[key] as string) : null)
  return {
    description: text('description'),
    kind: Array.isArray(choices) ? 'choice' : kindOf(type),
    choices: Array.isArray(choices) ? choices : [],
    minimum: number('minimum'),
    maximum: number('maximum'),
    step: number('multipleOf'),
    pattern: text('pattern'),
    maxLength: number('maxLength'),
    preset: property.default,
  }
}

function kindOf(type: unknown): ParamField['kind'] {
  switch (type) {
    case 'integer':
    case 'number':
    case 'boolean':
      return type
    case 'string':
      return 'text'
    default:
      return 'json'
  }
}

/** What stands in the form for a value. */
export const textOf = ({ kind }: ParamField, value: unknown): string =>
  value === undefined ? '' : kind === 'text' ? String(value) : JSON.stringify(value)

/**
 * The value of what stands in the form; undefined for nothing, which leaves it to the trainer's default.
 *
 * @throws Error that names the field
 */
export function paramOf({ kind, name }: ParamField, text: string): unknown {
  if (text === '') return undefined
  if (kind === 'text') return text
  try {
    return JSON.parse(kind === 'integer' || kind === 'number' ? String(Number(text)) : text)
  } catch {
    throw new Error(`${name} is ${text}; expected JSON`)
  }
}
