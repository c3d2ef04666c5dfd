import type { InterfaceRef, ObjectRef } from '@pothos/core'
import { builder } from './builder.ts'
import { completionTurns } from './completion-turns.ts'

/** A page of a log. */
export interface Page<Node> {
  readonly nodes: readonly Node[]
  /** Whether there are more after it. */
  readonly hasMore: boolean
  /** Whether there ever were any before it. */
  readonly hasPrevious: boolean
}

type SchemaTypes = typeof builder.$inferSchemaTypes

interface Cursored {
  readonly cursor: string
}

interface Edge<Node> {
  readonly cursor: string
  readonly node: Node
}

/**
 * The connection of a page of a log, whose edges are written without graphql-js where their selection allows it.
 *
 * @param nodeFields about how many fields a node has, with its edge
 */
export function pageConnection<Node extends Cursored>(
  name: string,
  node: ObjectRef<SchemaTypes, Node> | InterfaceRef<SchemaTypes, Node>,
  nodeFields: number,
) {
  const EdgeObject = builder.edgeObject({ name: `${name}Edge`, type: node })
  return builder.objectRef<Page<Node>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({
        type: [EdgeObject],
        nullable: { list: false, items: true },
        resolve: async ({ nodes }, _, { answer }, info) => {
          const edges = nodes.map((node): Edge<Node> => ({ cursor: node.cursor, node }))
          const writer = answer?.listWriter(info)
          if (writer) {
            await completionTurns.writeAll(edges, nodeFields, (some) => writer.add(some))
            if (writer.end()) return []
          }
          return completionTurns.spread(edges, nodeFields)
        },
      }),
      pageInfo: t.field({
        type: builder.pageInfoRef(),
        resolve: ({ nodes, hasMore, hasPrevious }) => ({
          hasNextPage: hasMore,
          hasPreviousPage: hasPrevious,
          startCursor: nodes[0]?.cursor ?? null,
          endCursor: nodes.at(-1)?.cursor ?? null,
        }),
      }),
    }),
  })
}
