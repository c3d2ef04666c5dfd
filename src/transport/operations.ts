import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  subscribe,
} from 'graphql'
import { Documents } from '../execution/documents.ts'
import { FanOut, SharedSubscription } from '../execution/fan-out.ts'
import { END, StoppableIterator } from '../feed/stoppable-iterator.ts'
import type { Caller } from '../repository/access.ts'
import type { Context, Opening } from '../schema/context.ts'
import { toGraphQLError } from '../schema/errors.ts'
import type { ErrorCode } from '../task/errors.ts'
import type { OpenSubscriptions } from './open-subscriptions.ts'
import { withRetryAfter } from './retry-after.ts'

/** What a client sends, over whatever transport. */
export interface OperationParams {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** An operation whose document is valid. */
export interface Operation extends ExecutionArgs {
  /** The document's text, shared by all that sent the same. */
  readonly text: string
  readonly contextValue: Context
}

export interface OperationsOptions {
  readonly schema: GraphQLSchema
  readonly context: Context
  readonly openSubscriptions: OpenSubscriptions
  /** Takes what a query or a mutation needs, or refuses it; returns what gives that back. */
  readonly admit?: (operation: ExecutionArgs) => () => void
  /** Told of each operation that begins, whatever becomes of it. */
  readonly onBegin?: (operation: ExecutionArgs) => void
  /** Told what is masked in the response. */
  readonly onUnexpected: (error: unknown) => void
}

/** Operations from their text to their results, the same for every transport. */
export class Operations {
  readonly #options: OperationsOptions
  readonly #documents: Documents
  readonly #fanOut = new FanOut((operation) => this.#run(operation))

  constructor(options: OperationsOptions) {
    this.#options = options
    this.#documents = new Documents(options.schema)
  }

  /** Groups of subscribers whose events are encoded once. */
  get groupCount(): number {
    return this.#fanOut.groupCount
  }

  /** The operation, ready to run, or what is wrong with its document. */
  prepare(
    { query, operationName, variables }: OperationParams,
    caller: Caller,
    opening?: Opening,
  ): Operation | readonly GraphQLError[] {
    const { schema, context } = this.#options
    try {
      const known = this.#documents.get(query)
      if (!('document' in known))
        return known.map((error) => this.translate(error, 'GRAPHQL_VALIDATION_FAILED'))
      return {
        schema,
        document: known.document,
        text: known.text,
        ...(operationName == null ? {} : { operationName }),
        ...(variables == null ? {} : { variableValues: variables }),
        // One for each operation: what is known about an operation is kept by its context.
        contextValue: opening ? { ...context, caller, opening } : { ...context, caller },
      }
    } catch (error) {
      return [this.translate(error)]
    }
  }

  /** Runs a query or a mutation, unless its client has too much under way. */
  async execute(operation: ExecutionArgs): Promise<ExecutionResult> {
    this.began(operation)
    let done: (() => void) | undefined
    try {
      done = this.#options.admit?.(operation)
    } catch (error) {
      return { errors: [withRetryAfter(this.translate(error))] }
    }
    try {
      return await this.#run(operation)
    } finally {
      done?.()
    }
  }

  /**
   * Runs a subscription; a result instead of results says why it was refused. One that is shared is not read, but
   * delivers to an outlet.
   */
  async subscribe(operation: ExecutionArgs): Promise<Results | SharedSubscription | ExecutionResult> {
    this.began(operation)
    let close: () => void
    try {
      close = this.#options.openSubscriptions.take((operation.contextValue as Context).caller.address)
    } catch (error) {
      return { errors: [withRetryAfter(this.translate(error))] }
    }
    try {
      const results = (await this.#fanOut.subscribe(operation, close)) ?? (await subscribe(operation))
      if (results instanceof SharedSubscription) return results
      if (Symbol.asyncIterator in results) {
        return new TranslatedResults(results, (result) => this.#translated(result), close)
      }
      close()
      return this.#translated(results)
    } catch (error) {
      close()
      throw error
    }
  }

  /** To be called for an operation that is run by other means. */
  began(operation: ExecutionArgs): void {
    this.#options.onBegin?.(operation)
  }

  /** What a client is told of an error. */
  translate(error: unknown, fallback?: ErrorCode): GraphQLError {
    return toGraphQLError(error, this.#options.onUnexpected, fallback)
  }

  async #run(operation: ExecutionArgs): Promise<ExecutionResult> {
    return this.#translated(await execute(operation))
  }

  #translated(result: ExecutionResult): ExecutionResult {
    return result.errors ? { ...result, errors: result.errors.map((error) => this.translate(error)) } : result
  }
}

type Results = AsyncGenerator<ExecutionResult, void, void>

/** The results of a subscription that is not shared, as its client gets them. */
class TranslatedResults extends StoppableIterator<ExecutionResult> {
  readonly #results: Results
  readonly #translate: (result: ExecutionResult) => ExecutionResult
  readonly #onEnd: () => void

  /** @param onEnd called when nothing more will come, perhaps more than once */
  constructor(results: Results, translate: (result: ExecutionResult) => ExecutionResult, onEnd: () => void) {
    super()
    this.#results = results
    this.#translate = translate
    this.#onEnd = onEnd
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    try {
      const result = await this.#results.next()
      if (!result.done) return { done: false, value: this.#translate(result.value) }
    } catch (error) {
      this.#onEnd()
      throw error
    }
    this.#onEnd()
    return END
  }

  protected async stop(): Promise<void> {
    try {
      await this.#results.return()
    } finally {
      this.#onEnd()
    }
  }
}
