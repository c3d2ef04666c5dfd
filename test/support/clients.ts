import { onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { ANYONE } from '../../src/repository/access.ts'
import { Callers } from '../../src/transport/callers.ts'
import { Clients } from '../../src/transport/clients.ts'

/** The limits of a server with these settings. */
export function testClients(env: Record<string, string> = {}): Clients {
  const config = readConfig({}, env)
  const clients = new Clients(config.clients, { ...config, stranger: ANYONE })
  onTestFinished(() => clients.close())
  return clients
}

/** Those of a server without authentication. */
export const testCallers = (clients: Clients): Callers => new Callers(clients, null)
