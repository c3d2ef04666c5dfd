import { type DocumentNode, getOperationAST } from 'graphql'
import { Shares } from '../bounds/shares.ts'
import { rootFieldsOf } from '../execution/root-fields.ts'

/** The subscriptions of this process, whatever carries them: so many in all, and so many of one address. */
export class OpenSubscriptions extends Shares {
  /** Those that are open, by their field; valid documents have no others than the schema. */
  readonly byField = new Map<string, number>()

  constructor(total: number, each = total) {
    super({
      what: 'open subscriptions',
      total,
      each,
      code: 'TOO_MANY_SUBSCRIPTIONS',
      settings: {
        total: 'EPOCHCAST_MAX_SUBSCRIPTIONS',
        each: 'EPOCHCAST_ADDRESS_SHARE of EPOCHCAST_MAX_SUBSCRIPTIONS',
      },
    })
  }

  /**
   * Takes a place until it is closed.
   *
   * @param letGo called then, too
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  open(holders: readonly string[], field: string, letGo?: () => void): OpenSubscription {
    this.take(holders)
    this.#add(field, 1)
    return new OpenSubscription(this, holders, field, letGo)
  }

  /** Only `OpenSubscription` calls it. */
  closed(holders: readonly string[], field: string): void {
    this.give(holders)
    this.#add(field, -1)
  }

  #add(field: string, count: number): void {
    this.byField.set(field, (this.byField.get(field) ?? 0) + count)
  }
}

/** What one subscription takes of its process. There are thousands of them, so it is no closure. */
export class OpenSubscription {
  readonly #all: OpenSubscriptions
  readonly #holders: readonly string[]
  readonly #field: string
  readonly #letGo: (() => void) | undefined
  #isOpen = true

  constructor(
    all: OpenSubscriptions,
    holders: readonly string[],
    field: string,
    letGo: (() => void) | undefined,
  ) {
    this.#all = all
    this.#holders = holders
    this.#field = field
    this.#letGo = letGo
  }

  /** Gives it back, the first time. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#letGo?.()
    this.#all.closed(this.#holders, this.#field)
  }
}

/** By which a subscription is counted. */
export function fieldOf(document: DocumentNode, operationName?: string | null): string {
  const operation = getOperationAST(document, operationName)
  const [field] = operation ? rootFieldsOf(document, operation) : []
  return field?.name.value ?? 'unknown'
}
