import { describe, expect, it } from 'vitest'
import { OriginRule } from '../../src/transport/origin.ts'

const passes = (rule: OriginRule, headers: { host?: string; origin?: string }): boolean => {
  try {
    rule.check({ headers })
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' })
    return false
  }
}

describe('by default, a request', () => {
  const rule = new OriginRule(['loopback'], '127.0.0.1')
  it.each([
    [true, { host: 'localhost:4000' }],
    [true, { host: '127.0.0.1:4000', origin: 'http://localhost:3000' }],
    [true, { host: '[::1]:4000', origin: 'http://[::1]:3000' }],
    [true, {}],
    [false, { host: 'evil.example:4000' }],
    [false, { host: 'evil.example:4000', origin: 'http://evil.example:4000' }],
    [false, { host: 'localhost:4000', origin: 'https://evil.example' }],
    [false, { host: 'localhost:4000', origin: 'null' }],
    [false, { host: 'localhost.evil.example' }],
    [false, { host: 'a b' }],
  ])('passes: %s, with %o', (expected, headers) => {
    expect(passes(rule, headers)).toBe(expected)
  })
})

it('origins that are listed pass, and their hosts; with nothing else listed, this machine has its programs only', () => {
  const rule = new OriginRule(['https://app.example'], '127.0.0.1')
  expect(passes(rule, { host: 'app.example', origin: 'https://app.example' })).toBe(true)
  expect(passes(rule, { host: 'localhost', origin: 'http://localhost' })).toBe(false)
  expect(passes(rule, { host: 'app.example', origin: 'http://app.example' })).toBe(false)
  expect(passes(rule, { host: 'localhost' })).toBe(true)
})

it('the address that the server listens on is this machine, and no other one is', () => {
  const rule = new OriginRule(['loopback'], '10.0.0.5')
  expect(passes(rule, { host: '10.0.0.5:4000', origin: 'http://10.0.0.5:4000' })).toBe(true)
  expect(passes(rule, { host: '10.0.0.6:4000' })).toBe(false)
})
