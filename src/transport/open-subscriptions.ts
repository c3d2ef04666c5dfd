import { type DocumentNode, getOperationAST, Kind } from 'graphql'
import { Shares } from '../bounds/shares.ts'

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
   * Takes a place until the returned function has been called.
   *
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  open(holders: readonly string[], document: DocumentNode, operationName?: string | null): () => void {
    return this.openField(holders, fieldOf(document, operationName))
  }

  /**
   * The same for what is no GraphQL, by a name of its own.
   *
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  openField(holders: readonly string[], field: string): () => void {
    const leave = this.take(holders)
    this.#add(field, 1)
    let isOpen = true
    return () => {
      if (isOpen) this.#add(field, -1)
      isOpen = false
      leave()
    }
  }

  #add(field: string, count: number): void {
    this.byField.set(field, (this.byField.get(field) ?? 0) + count)
  }
}

function fieldOf(document: DocumentNode, operationName?: string | null): string {
  const [first] = getOperationAST(document, operationName)?.selectionSet.selections ?? []
  return first?.kind === Kind.FIELD ? first.name.value : 'fragment'
}
