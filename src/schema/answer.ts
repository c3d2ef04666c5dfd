import type { GraphQLResolveInfo } from 'graphql'
import { EpochcastError } from '../task/errors.ts'

/** The extension of a field whose resolver only takes its time: what it gives is the property of the field's name. */
export const IS_PROPERTY = 'isProperty'

/** The extension of an abstract type whose objects name their types themselves: in which of their properties. */
export const TYPE_PROPERTY = 'typeProperty'

/** What the resolvers of one execution share. */
export interface Answer {
  /**
   * Reads what an answer may have much of: a few at a time, so that what does not fit is noticed before the rest is
   * read, and what is asked for under several aliases once.
   *
   * @param key the same for the same read
   * @param sizeOf characters of what was found as JSON, about
   * @throws EpochcastError ANSWER_TOO_LARGE, OVERLOADED
   */
  read<Found>(key: string, read: () => Promise<Found>, sizeOf: (found: Found) => number): Promise<Found>
  /**
   * Writes the text of a list of objects, as graphql-js and `JSON.stringify` would, at a fraction of their cost. The
   * resolver then returns an empty list, whose place the text takes. Lists within the objects are written, too.
   *
   * @param info of the field that is the list
   * @returns null where graphql-js has to do it
   */
  listWriter(info: GraphQLResolveInfo): ListWriter | null
}

export interface ListWriter {
  /**
   * @returns how many characters they have
   * @throws EpochcastError ANSWER_TOO_LARGE, OVERLOADED
   */
  add(items: readonly object[]): number
  /** False where an object was not what its type promises: then graphql-js has to say so. */
  end(): boolean
}

/** @param found what has more than it may: "the answer would have" */
export const answerTooLarge = (found: string, max: number): EpochcastError =>
  new EpochcastError(
    'ANSWER_TOO_LARGE',
    `${found} more than ${max} characters; ask for fewer tasks, events, series or aliases at a time`,
    { details: { max } },
  )
