import { readFileSync } from 'node:fs'
import type { GraphQLSchema } from 'graphql'
import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { toGraphQLError } from '../schema/errors.ts'
import { quote } from '../task/errors.ts'
import { Documents } from './documents.ts'

/** From ids to texts, as graphql-codegen and Relay write it. */
const mapShape = z.record(z.string(), z.string())
/** As Apollo's tools write it. */
const listShape = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
})

/**
 * The documents of a manifest, which alone a server then runs: whoever builds a client decides what it may ask, and not
 * who speaks to the server. They are asked for by their id, or by their text as the manifest has it.
 */
export class TrustedDocuments {
  readonly #textById: ReadonlyMap<string, string>
  readonly #texts: ReadonlySet<string>

  private constructor(textById: ReadonlyMap<string, string>) {
    this.#textById = textById
    this.#texts = new Set(textById.values())
  }

  /** @throws ConfigError where the file is missing, is no manifest, or has documents that the server would refuse */
  static load(file: string, schema: GraphQLSchema): TrustedDocuments {
    const textById = new Map(entriesOf(file))
    if (textById.size === 0) throw new ConfigError(`${file}: it has no documents; expected at least one`)
    const documents = new Documents(schema, {
      introspection: true,
      addressShare: 1,
      translate: (error, fallback) => toGraphQLError(error, rethrow, fallback),
    })
    const problems: string[] = []
    for (const [id, text] of textById) {
      const known = documents.get(text)
      if (!('document' in known)) problems.push(`${file}: document ${quote(id)}: ${known[0]?.message}`)
    }
    if (problems.length > 0) throw new ConfigError(problems)
    return new TrustedDocuments(textById)
  }

  get size(): number {
    return this.#textById.size
  }

  /** The text of the document that is asked for; null where the manifest does not have it. An id wins. */
  textOf(id: string | null, text: string): string | null {
    if (id !== null) return this.#textById.get(id) ?? null
    return this.#texts.has(text) ? text : null
  }
}

function entriesOf(file: string): [id: string, text: string][] {
  const content = contentOf(file)
  const list = listShape.safeParse(content)
  if (list.success) return list.data.operations.map(({ id, body }) => [id, body])
  const map = mapShape.safeParse(content)
  if (map.success) return Object.entries(map.data)
  throw new ConfigError(
    `${file}: it is no manifest of documents; expected an object from ids to texts, as graphql-codegen writes it, or a manifest of Apollo's tools`,
  )
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`the manifest of documents ${file} cannot be read: ${why}`, { cause })
  }
}

function rethrow(error: unknown): never {
  throw error
}
