import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql'
import type { DeliveryCounts } from '../delivery/delivery-counts.ts'
import type { Shared } from '../delivery/subscriber.ts'
import { AnswerRoom } from '../execution/answer-room.ts'
import { type DocumentErrors, Documents, type KnownDocument } from '../execution/documents.ts'
import { FanOut, SharedSubscription } from '../execution/fan-out.ts'
import { PreparedAnswer } from '../execution/prepared-answer.ts'
import type { TrustedDocuments } from '../execution/trusted-documents.ts'
import { checkFieldsAreKnown } from '../execution/unknown-fields.ts'
import { checkKeptVariables, checkVariableUses } from '../execution/variables.ts'
import { accountOf, type Caller, holdersOf } from '../repository/access.ts'
import type { Context, Opening } from '../schema/context.ts'
import { toGraphQLError } from '../schema/errors.ts'
import { EpochcastError, type ErrorCode, quote } from '../task/errors.ts'
import { jsonBytes } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import { holderOf } from './clients.ts'
import { type DocumentRequest, documentIdOf } from './document-request.ts'
import { EventResults, type Results } from './event-results.ts'
import { isQuery } from './is-query.ts'
import { fieldOf, type OpenSubscription, type OpenSubscriptions } from './open-subscriptions.ts'
import { withRetryAfter } from './retry-after.ts'

/** What a client sends, over whatever transport. */
export interface OperationParams extends DocumentRequest {
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
  /** What all operations have in common. */
  readonly context: Pick<Context, 'audience' | 'services'>
  readonly openSubscriptions: OpenSubscriptions
  /** The documents that alone are run; null for any. */
  readonly trustedDocuments: TrustedDocuments | null
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean
  /** Part of what is shared that one address may have. */
  readonly addressShare: number
  /** Takes what a query or a mutation needs, or refuses it; returns what gives that back. */
  readonly admit?: (operation: ExecutionArgs) => () => void
  /** Why a client is not given what its query found, if it is not. */
  readonly refuseAnswer?: (operation: ExecutionArgs) => EpochcastError | null
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
  readonly #answers: AnswerRoom
  #underWay = 0

  constructor(options: OperationsOptions) {
    this.#options = options
    const { schema, introspection, addressShare } = options
    const translate = (error: unknown, fallback?: ErrorCode) => this.translate(error, fallback)
    this.#documents = new Documents(schema, { introspection, addressShare, translate })
    this.#answers = new AnswerRoom(addressShare)
  }

  /** Groups of subscribers whose events are encoded once. */
  get groupCount(): number {
    return this.#fanOut.groupCount
  }

  get deliveryCounts(): DeliveryCounts {
    return this.#fanOut.counts
  }

  /** Queries and mutations that are being run, but for reports on the fast path. */
  get underWay(): number {
    return this.#underWay
  }

  /** What all subscriptions to trainings deliver by. */
  get shared(): Shared {
    return this.#fanOut.shared
  }

  /** The document that is asked for, or what is wrong with it. */
  document(request: DocumentRequest): KnownDocument | DocumentErrors {
    try {
      return this.#documents.get(this.#textOf(request))
    } catch (error) {
      return [this.translate(error)]
    }
  }

  /** @throws EpochcastError BAD_REQUEST, DOCUMENT_NOT_TRUSTED, PERSISTED_QUERY_NOT_SUPPORTED */
  #textOf(request: DocumentRequest): string {
    const { query, operationName } = request
    if (operationName != null && operationName.length > LIMITS.documentNameLength) {
      const found = `the operationName is ${quote(operationName)}`
      throw new EpochcastError(
        'BAD_REQUEST',
        `${found}; expected at most ${LIMITS.documentNameLength} characters`,
      )
    }
    const { trustedDocuments } = this.#options
    if (!trustedDocuments) {
      if (query) return query
      // The message by which clients know that they have to send the text.
      if (documentIdOf(request) !== null)
        throw new EpochcastError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported')
      return ''
    }
    const id = documentIdOf(request)
    const text = trustedDocuments.textOf(id, query ?? '')
    if (text !== null) return text
    const found = id === null ? 'the document' : `the document ${quote(id)}`
    throw new EpochcastError(
      'DOCUMENT_NOT_TRUSTED',
      `${found} is not in the manifest of this server (EPOCHCAST_TRUSTED_DOCUMENTS); expected the id of one that is, or its text as it stands there`,
    )
  }

  /** The operation, ready to run, or what is wrong with its document. */
  prepare(params: OperationParams, caller: Caller, opening?: Opening): Operation | DocumentErrors {
    const { operationName, variables } = params
    const known = this.document(params)
    if (!('document' in known)) return known
    const operation: Operation = {
      schema: this.#options.schema,
      document: known.document,
      text: known.text,
      contextValue: this.#contextOf(caller, opening),
    }
    // Nothing here by spreads, each of which costs as much as all of the rest.
    if (operationName != null) operation.operationName = operationName
    if (variables != null) operation.variableValues = variables
    return operation
  }

  /**
   * An operation of the server's own, for doors whose clients send no document; whether only trusted ones are run does not
   * matter to it.
   */
  prepareOwn(text: string, variables: Readonly<Record<string, unknown>>, caller: Caller): Operation {
    const known = this.#documents.get(text)
    if (!('document' in known))
      throw new Error(`a document of the server's own is refused: ${known[0]?.message}`)
    return {
      schema: this.#options.schema,
      document: known.document,
      text: known.text,
      variableValues: variables,
      contextValue: this.#contextOf(caller),
    }
  }

  /** One for each operation: what is known about an operation is kept by its context. */
  #contextOf(caller: Caller, opening?: Opening): Context {
    const { audience, services } = this.#options.context
    return opening ? { caller, audience, services, opening } : { caller, audience, services }
  }

  /** Runs a query or a mutation, unless its client has too much under way. */
  async execute(operation: ExecutionArgs): Promise<ExecutionResult> {
    this.began(operation)
    let done: (() => void) | undefined
    try {
      checkVariableUses(operation)
      done = this.#options.admit?.(operation)
    } catch (error) {
      return withRetryAfter({ errors: [this.translate(error)] })
    }
    this.#underWay++
    try {
      const holder = holderOf((operation.contextValue as Context).caller)
      if (this.#answers.isBusy(holder) && isQuery(operation)) await this.#answers.turn(holder)
      const result = await this.#run(operation)
      const refusal = this.#options.refuseAnswer?.(operation)
      return withRetryAfter(refusal ? { errors: [this.translate(refusal)] } : result)
    } finally {
      this.#underWay--
      done?.()
    }
  }

  /**
   * Runs a subscription; a result instead of results says why it was refused. One that is shared is not read, but
   * delivers to an outlet.
   */
  async subscribe(operation: ExecutionArgs): Promise<Results | SharedSubscription | ExecutionResult> {
    this.began(operation)
    let held: OpenSubscription
    try {
      checkVariableUses(operation)
      held = this.#open(operation)
    } catch (error) {
      return withRetryAfter({ errors: [this.translate(error)] })
    }
    operation.options = SOME_ERRORS
    operation.hideSuggestions = !this.#options.introspection
    try {
      const results =
        (await this.#fanOut.subscribe(operation, held)) ?? (await createSourceEventStream(operation))
      if (results instanceof SharedSubscription) return results
      if (Symbol.asyncIterator in results) {
        const events = results[Symbol.asyncIterator]()
        return new EventResults(events, (rootValue) => this.#run({ ...operation, rootValue }), held)
      }
      held.close()
      return withRetryAfter(this.#translated(results))
    } catch (error) {
      held.close()
      throw error
    }
  }

  /**
   * What a subscription takes as long as it is open.
   *
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS, BAD_INPUT
   */
  #open({ document, operationName, variableValues, contextValue }: ExecutionArgs): OpenSubscription {
    checkKeptVariables(variableValues)
    const { caller } = contextValue as Context
    const letGo = this.#documents.hold(document, accountOf(caller))
    try {
      const field = fieldOf(document, operationName)
      return this.#options.openSubscriptions.open(holdersOf(caller), field, letGo)
    } catch (error) {
      letGo()
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

  /** A query or a mutation, or a subscription for one event. Its result is to be written by `stringify`. */
  async #run(operation: ExecutionArgs): Promise<ExecutionResult> {
    const isLarge = !operation.options && isLargeInput(operation.variableValues)
    if (isLarge) {
      try {
        checkFieldsAreKnown(operation)
      } catch (error) {
        return { errors: [this.translate(error)] }
      }
    }
    const held = this.#answers.begin(holderOf((operation.contextValue as Context).caller))
    const answer = new PreparedAnswer(held)
    // Properties that a spread does not have are assigned afterwards: in the same literal they cost ten times as much.
    const context: { answer?: Context['answer'] } = { ...(operation.contextValue as Context) }
    context.answer = answer
    const args = { ...operation }
    args.contextValue = context
    args.options = isLarge ? ONE_ERROR : SOME_ERRORS
    args.hideSuggestions = !this.#options.introspection
    try {
      const result = await execute(args)
      return this.#translated(answer.complete(result))
    } finally {
      held.release()
    }
  }

  #translated(result: ExecutionResult): ExecutionResult {
    return result.errors ? { ...result, errors: result.errors.map((error) => this.translate(error)) } : result
  }
}

/** Of variables that do not fit; graphql-js writes the whole value into each of these errors, however large it is. */
const SOME_ERRORS = { maxCoercionErrors: LIMITS.validationErrors } as const
const ONE_ERROR = { maxCoercionErrors: 1 } as const
const MANY_ERRORS_UP_TO_BYTES = 65_536

const isLargeInput = (variables: ExecutionArgs['variableValues']): boolean =>
  variables != null && jsonBytes(variables) > MANY_ERRORS_UP_TO_BYTES
