import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql'

/** What stands around an event in the results of `eventSubscription`. */
export const EVENT_TEXT = { before: '{"data":{"event":', after: '}}' } as const

/** Everything that events have, for doors whose clients select nothing: the document of a subscription. */
export function eventSubscription(schema: GraphQLSchema): string {
  return `subscription ($id: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {
    event: trainingProgress(taskId: $id, channelPrefix: $channelPrefix, after: $after, last: $last) ${everyField(schema)}
  }`
}

/** The same of the log, a page at a time. */
export function eventPage(schema: GraphQLSchema): string {
  return `query ($id: ID!, $channelPrefix: String, $after: Cursor, $first: Int) {
    task(id: $id, channelPrefix: $channelPrefix) {
      status
      events(after: $after, first: $first) {
        edges { node ${everyField(schema)} }
        pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    }
  }`
}

function everyField(schema: GraphQLSchema): string {
  const event = schema.getType('TrainingEvent')
  if (!isInterfaceType(event)) throw new Error('the schema has no interface TrainingEvent')
  const types = schema.getPossibleTypes(event).map((type) => `... on ${type.name} ${plainFields(type)}`)
  return `{ type: __typename ${types.join(' ')} }`
}

/** Fields that need no argument; of objects theirs, so that histories are left to questions of their own. */
function plainFields(type: GraphQLObjectType): string {
  const fields = Object.values(type.getFields()).filter(isPlain)
  const selected = fields.map((field) => {
    const inner = getNamedType(field.type)
    return isObjectType(inner) ? `${field.name} ${plainFields(inner)}` : field.name
  })
  return `{ ${selected.join(' ')} }`
}

const isPlain = ({ args, type }: GraphQLField<unknown, unknown>): boolean =>
  args.length === 0 && !getNamedType(type).name.endsWith('Connection')
