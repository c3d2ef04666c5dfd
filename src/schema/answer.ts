import type { GraphQLResolveInfo } from 'graphql'

/** What the resolvers of one execution share. */
export interface Answer {
  /**
   * Writes the text of a list of objects, as graphql-js and `JSON.stringify` would, at a fraction of their cost. The
   * resolver then returns an empty list, whose place the text takes.
   *
   * @param info of the field that is the list
   * @returns null where graphql-js has to do it
   */
  listWriter(info: GraphQLResolveInfo): ListWriter | null
}

/** False where an object is not what its type promises: then graphql-js has to say so. */
export type ListWriter = (items: readonly object[]) => boolean
