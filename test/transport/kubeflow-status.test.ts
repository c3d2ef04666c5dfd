import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { ByteShares } from '../../src/bounds/byte-shares.ts'
import type { Clients } from '../../src/transport/clients.ts'
import { KubeflowStatus, type KubeflowStatusOptions } from '../../src/transport/plain/kubeflow-status.ts'
import { until } from '../support/until.ts'

it('a status is read and reported once its sender has its turn', async () => {
  const waiting: (() => void)[] = []
  const turns = { turn: () => new Promise<void>((resolve) => waiting.push(resolve)) }
  const settings = { total: '', each: '' }
  const received = new ByteShares({ what: 'bytes', total: 1e6, each: 1e6, settings, retryAfterMs: 1000 })
  const asked: unknown[] = []
  const status = new KubeflowStatus({
    clients: { turns, received } as unknown as Clients,
    callers: { of: () => ({ address: '10.0.0.1' }) },
    operations: {
      prepareOwn: (_: string, variables: unknown) => variables,
      execute: async (variables: unknown) => {
        asked.push(variables)
        return {}
      },
    },
    maxBodyBytes: 1e6,
    totalOf: async () => null,
  } as unknown as KubeflowStatusOptions)
  const body = JSON.stringify({ trainerStatus: { progressPercentage: 5 } })
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    ...{ method: 'POST', url: '/kubeflow/gan:training/a', headers: {} },
  }) as unknown as IncomingMessage
  const said: unknown[] = []
  const response = {
    once: () => {},
    writeHead: (code: number) => {
      said.push(code)
      return response
    },
    end: () => {},
  }
  status.serve(request, response as unknown as ServerResponse)
  await until('it to wait for its turn', () => waiting.length === 1)
  expect(asked).toEqual([])
  waiting[0]?.()
  await until('the answer', () => said.length > 0)
  expect([said, asked.length]).toEqual([[200], 1])
})
