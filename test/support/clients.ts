import { onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { Clients } from '../../src/transport/clients.ts'

/** The limits of a server with these settings. */
export function testClients(env: Record<string, string> = {}): Clients {
  const config = readConfig({}, env)
  const clients = new Clients(config.clients, config)
  onTestFinished(() => clients.close())
  return clients
}
