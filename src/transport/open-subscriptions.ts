import { Shares } from '../bounds/shares.ts'

/** The subscriptions of this process, whatever carries them: so many in all, and so many of one address. */
export class OpenSubscriptions extends Shares {
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
}
