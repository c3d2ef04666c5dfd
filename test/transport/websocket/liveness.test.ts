import { describe, expect, it } from 'vitest'
import { Liveness } from '../../../src/transport/websocket/liveness.ts'

const MB = 1024 * 1024

describe('a socket', () => {
  it('that answers each ping is alive', () => {
    const liveness = new Liveness()
    for (let i = 0; i < 10; i++) {
      expect(liveness.probe({ takenBytes: i * 100, bufferedBytes: 0 })).toBe(true)
      liveness.answered()
    }
  })

  it('that answers nothing, with little to read before the ping, is ended at the next', () => {
    const liveness = new Liveness()
    expect(liveness.probe({ takenBytes: 100, bufferedBytes: 0 })).toBe(true)
    expect(liveness.probe({ takenBytes: 200, bufferedBytes: 0 })).toBe(false)
  })

  it('that drains lives without a pong, as long as it drains', () => {
    const liveness = new Liveness()
    for (let i = 1; i < 20; i++) {
      expect(liveness.probe({ takenBytes: i * MB, bufferedBytes: 60_000 })).toBe(true)
    }
    let more = 0
    while (liveness.probe({ takenBytes: 19 * MB, bufferedBytes: 60_000 })) more++
    expect(more).toBe(3)
  })

  it('is not alive by what the system takes into buffers that are not full', () => {
    const liveness = new Liveness()
    let probes = 0
    while (liveness.probe({ takenBytes: probes * 100_000, bufferedBytes: 0 })) probes++
    expect(probes).toBe(4)
  })

  it('has time for what lies before the ping, until it is known to have read it', () => {
    const liveness = new Liveness()
    const probe = () => liveness.probe({ takenBytes: 8 * MB, bufferedBytes: 0 })
    expect([probe(), probe(), probe()]).toEqual([true, true, true])
    for (let i = 0; i < 3; i++) liveness.answered()
    expect([probe(), probe()]).toEqual([true, false])
  })

  it('that does not count its bytes has to answer', () => {
    const liveness = new Liveness()
    const probe = () => liveness.probe({ takenBytes: Number.NaN, bufferedBytes: 60_000 })
    expect([probe(), probe()]).toEqual([true, false])
  })
})
