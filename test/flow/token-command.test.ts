import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { post } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { SECRET_ENV } from '../support/tokens.ts'

const epochcast = join(import.meta.dirname, '../../bin/epochcast.js')

async function tokenOf(args: readonly string[], env: Record<string, string> = SECRET_ENV) {
  const options = { env: { PATH: process.env.PATH, ...env } }
  const run = promisify(execFile)(process.execPath, [epochcast, 'token', ...args], options)
  return run.catch((error: { stdout: string; stderr: string; code: number }) => error)
}

describe('epochcast token', () => {
  it('signs what servers with the same settings take', async () => {
    const env = { ...SECRET_ENV, EPOCHCAST_JWT_ISSUER: 'https://me.example', EPOCHCAST_JWT_AUDIENCE: 'train' }
    const { url } = await testServer(env)
    const narrowed = [
      '--label',
      'team=vision',
      '--label',
      'team=audio',
      '--channel-prefix',
      'ml:training',
      '--task',
      't1',
    ]
    const args = ['--subject', 'alice', '--scope', 'operator', '--expires', '15m']
    for (const more of [[], narrowed]) {
      const { stdout } = await tokenOf([...args, ...more], env)
      expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
      const bearer = stdout.trim()
      expect(await post(url, '{ tasks { edges { node { id } } } }', {}, bearer)).toEqual({
        data: { tasks: { edges: [] } },
      })
      const { exp, iat, labels, sub } = JSON.parse(
        String(Buffer.from(bearer.split('.')[1] ?? '', 'base64url')),
      )
      expect([sub, exp - iat]).toEqual(['alice', 900])
      expect(labels).toEqual(more.length > 0 ? { team: ['vision', 'audio'] } : undefined)
    }
  })

  it('says for how long a token is good without --expires', async () => {
    const { stdout } = await tokenOf(['--help'])
    expect(stdout).toContain('after 90s, 15m, 12h or 30d (default: 12h)')
  })

  it.each([
    [[], {}, /^error CONFIG: EPOCHCAST_JWT_SECRET is not set; expected the server's secret/],
    [[], { EPOCHCAST_JWT_SECRET: 'short' }, /^error CONFIG: EPOCHCAST_JWT_SECRET is shorter than 32 bytes/],
    [
      ['--scope', 'tasks:read tasks:raed'],
      SECRET_ENV,
      /^error CONFIG: --scope has "tasks:raed"; expected some of/,
    ],
    [['--expires', '1w'], SECRET_ENV, /Expected a time such as 90s/],
    [['--label', 'team'], SECRET_ENV, /Expected name=value/],
  ] as const)('refuses %j with %j', async (args, env, problem) => {
    const { stdout, stderr } = await tokenOf(args, env)
    expect(stdout).toBe('')
    expect(stderr).toMatch(problem)
  })
})
