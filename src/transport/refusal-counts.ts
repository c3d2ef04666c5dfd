import type { ErrorCode } from '../task/errors.ts'

/** By what a client came. */
export type DoorName = 'http' | 'websocket' | 'connection'

/** Codes of the API, and one for what is cut before there is an operation. */
export type RefusalCode = ErrorCode | 'REQUEST_TIMEOUT'

/** Refusals since the process began, by their code: at most as many numbers as there are codes. */
export class RefusalCounts {
  readonly byCode = new Map<RefusalCode, number>()
  /** Told of each of them. */
  onRefusal: ((code: RefusalCode, door: DoorName, address: string | null) => void) | undefined

  add(code: RefusalCode, door: DoorName, address: string | null): void {
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1)
    this.onRefusal?.(code, door, address)
  }

  /** The errors of a result that is sent to a client; they have been translated. */
  addAll(
    errors: readonly { readonly extensions: Readonly<Record<string, unknown>> }[] | undefined,
    door: DoorName,
    address: string | null,
  ): void {
    for (const { extensions } of errors ?? []) this.add(extensions.code as ErrorCode, door, address)
  }
}
