import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'

/** Every type of event of a schema, those of the log and those of the stream. */
export function eventTypes(schema: GraphQLSchema): readonly GraphQLObjectType[] {
  const event = schema.getType('TrainingEvent')
  if (!isInterfaceType(event)) throw new Error(`TrainingEvent is ${String(event)}; expected an interface`)
  return schema.getPossibleTypes(event)
}

/** The one document that selects every field of every event, none of them under an alias. */
export function everyFieldOfEveryEvent(schema: GraphQLSchema): string {
  const fragments = eventTypes(schema).map((type) => `... on ${type.name} ${selection(type)}`)
  return `subscription ($taskId: ID!, $after: Cursor, $last: Int) {
    trainingProgress(taskId: $taskId, after: $after, last: $last) {
      __typename
      ${fragments.join('\n      ')}
    }
  }`
}

/** All fields that need no argument; lists of objects, such as a task's history, are documents of their own. */
function selection(type: GraphQLObjectType): string {
  const selected = Object.values(type.getFields()).flatMap((field) => {
    const inner = getNamedType(field.type)
    if (!isObjectType(inner)) return [field.name]
    return isPlain(field) ? [`${field.name} ${selection(inner)}`] : []
  })
  return `{ ${selected.join(' ')} }`
}

const isPlain = ({ type, args }: GraphQLField<unknown, unknown>): boolean =>
  !isListType(getNullableType(type)) &&
  !getNamedType(type).name.endsWith('Connection') &&
  !args.some(isRequiredArgument)

/** What two types of event disagree about: each field's name with both of its types. */
export function conflicts(schema: GraphQLSchema): string[] {
  const types = eventTypes(schema)
  return types.flatMap((one, i) =>
    types.slice(i + 1).flatMap((other) =>
      Object.values(one.getFields()).flatMap(({ name, type }) => {
        const found = other.getFields()[name]
        return found && String(found.type) !== String(type)
          ? [`${one.name}.${name} is ${type}, ${other.name}.${name} is ${found.type}`]
          : []
      }),
    ),
  )
}
