import type { IncomingMessage, Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql'
import type { Logger } from 'pino'
import { ByteShares } from '../bounds/byte-shares.ts'
import { RateLimit } from '../bounds/rate-limit.ts'
import { Shares } from '../bounds/shares.ts'
import type { ClientLimits } from '../client-limits.ts'
import { rootFieldsOf } from '../execution/root-fields.ts'
import { type Caller, holdersOf } from '../repository/access.ts'
import type { Context } from '../schema/context.ts'
import type { EpochcastError } from '../task/errors.ts'
import { ClientAddresses } from './client-address.ts'
import { ClientLog } from './client-log.ts'
import { FairTurns } from './fair-turns.ts'
import { isQuery } from './is-query.ts'
import { OpenSubscriptions } from './open-subscriptions.ts'
import { RefusalCounts } from './refusal-counts.ts'
import { endSoon, rawResponse } from './refusals.ts'
import { WaitingBytes } from './waiting-bytes.ts'
import { countClose } from './websocket/close-counts.ts'

/** Times of the average rate that may come at once, after a pause. */
export const BURST_SECONDS = 4
/** How often what waits is counted again, and times are looked at. */
const SWEEP_MS = 500
/** Operations begun in one round of the event loop, and what one address may take of a round. */
const TURNS_PER_ROUND = 8
const TURN_MS = 2
/** When a refused client may try again: places and bytes come free as others are served. */
const RETRY_AFTER_MS = 1000
/** Connections beyond the bound that are told so; yet more are dropped without a word. */
const REFUSED_TOGETHER = 200

export interface ClientGauges {
  readonly connections: number
  /** Bytes of requests and messages that have not come whole. */
  readonly receivedBytes: number
  /** Bytes that wait in this process for readers to take them. */
  readonly bufferedBytes: number
  readonly subscriptions: number
  /** Queries under way. */
  readonly queries: number
}

interface ClosedSocket {
  readonly id: number
  readonly openedAt: number
  readonly caller: Caller
}

interface ClientsOptions {
  /** Who calls before a token is looked at: anyone, or, where one is required, nobody. */
  readonly stranger: Caller
  readonly maxBodyBytes: number
  readonly maxSubscriptions: number
}

const SILENT = { info: () => {} }

const NOTHING_HELD = () => {}

/** Who calls over a connection, where that is one client's. Not in a map, which the collector would have to go through. */
const CALLER = Symbol('caller')
type Connection = Duplex & { [CALLER]?: Caller }

/** Whose share a connection counts for; nobody's where it is a proxy's, of which no caller is known. */
const holdersOfSocket = (caller: Pick<Caller, 'address'> | undefined): readonly string[] =>
  caller === undefined || caller.address === null ? [] : [caller.address]

/**
 * What clients have of this process, by their addresses, whichever door they use: connections, bytes that wait for them
 * or have come in part, queries under way, mutations. One address may have a part of each, so that it cannot take all.
 */
export class Clients {
  readonly limits: ClientLimits
  readonly waiting: WaitingBytes
  /** Bytes of bodies and messages that have not come whole. */
  readonly received: ByteShares
  readonly subscriptions: OpenSubscriptions
  /** In which requests are served and messages taken. */
  readonly turns = new FairTurns(TURNS_PER_ROUND, TURN_MS)
  readonly queries: Shares
  readonly mutations: RateLimit
  readonly refusals = new RefusalCounts()
  readonly log: ClientLog
  /** WebSockets that were closed since the process began, by their close code. */
  readonly closes = new Map<string, number>()
  readonly #addresses: ClientAddresses
  readonly #connections: Shares
  /** WebSockets of clients behind a trusted proxy, whose connections have no share of their own. */
  readonly #proxied: Shares
  /** Who calls before a token is looked at. */
  readonly #stranger: Caller
  readonly #sweeps = new Set<() => void>()
  readonly #timer: NodeJS.Timeout

  /** @param maxBodyBytes of which at least one fits into the share of an address */
  constructor(
    limits: ClientLimits,
    { stranger, maxBodyBytes, maxSubscriptions }: ClientsOptions,
    logger: Pick<Logger, 'info'> = SILENT,
  ) {
    this.log = new ClientLog(logger)
    this.refusals.onRefusal = (...refusal) => this.log.refused(...refusal)
    this.limits = limits
    this.#stranger = stranger
    const shareOf = (total: number) => Math.max(1, Math.floor(total * limits.addressShare))
    this.#addresses = new ClientAddresses(limits.trustedProxies, limits.forwardedHeader)
    const places = (what: string, total: number, name: string, code: 'TOO_MANY_CONNECTIONS' | 'OVERLOADED') =>
      new Shares({
        what,
        total,
        each: shareOf(total),
        code,
        settings: { total: name, each: `EPOCHCAST_ADDRESS_SHARE of ${name}` },
      })
    this.#connections = places(
      'open connections',
      limits.maxConnections,
      'EPOCHCAST_MAX_CONNECTIONS',
      'TOO_MANY_CONNECTIONS',
    )
    this.#proxied = places(
      'open WebSockets',
      limits.maxConnections,
      'EPOCHCAST_MAX_CONNECTIONS',
      'TOO_MANY_CONNECTIONS',
    )
    this.queries = places('queries under way', limits.maxQueries, 'EPOCHCAST_MAX_QUERIES', 'OVERLOADED')
    this.subscriptions = new OpenSubscriptions(maxSubscriptions, shareOf(maxSubscriptions))
    const { mutationsPerSecond } = limits
    this.mutations = new RateLimit(
      'mutations of this caller',
      { perSecond: mutationsPerSecond, burst: BURST_SECONDS * mutationsPerSecond },
      'EPOCHCAST_MUTATIONS_PER_SECOND',
    )
    this.waiting = new WaitingBytes({
      total: limits.maxWaitingBytes,
      each: shareOf(limits.maxWaitingBytes),
      writeTimeoutMs: limits.writeTimeoutMs,
    })
    this.received = new ByteShares({
      what: 'bytes of requests that have not come whole',
      total: limits.maxReceivedBytes,
      each: Math.max(shareOf(limits.maxReceivedBytes), maxBodyBytes),
      settings: { total: 'EPOCHCAST_MAX_RECEIVED_BYTES', each: 'EPOCHCAST_ADDRESS_SHARE of them' },
      retryAfterMs: RETRY_AFTER_MS,
    })
    this.#sweeps.add(() => this.waiting.sweep())
    this.#timer = setInterval(() => {
      for (const sweep of this.#sweeps) sweep()
    }, SWEEP_MS)
    this.#timer.unref()
  }

  gauges(): ClientGauges {
    return {
      connections: this.#connections.count,
      receivedBytes: this.received.bytes,
      bufferedBytes: this.waiting.recount(),
      subscriptions: this.subscriptions.count,
      queries: this.queries.count,
    }
  }

  /** Calls something now and then, to look at times. */
  everySweep(run: () => void): void {
    this.#sweeps.add(run)
  }

  /** Counts and logs a WebSocket that is over. */
  socketClosed({ id, openedAt, caller }: ClosedSocket, code: number): void {
    countClose(this.closes, code)
    const { subject, address } = caller
    this.log.closed({ door: 'websocket', connection: id, subject, address, openedAt, code })
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Takes a place for each connection of a server, and refuses those that have none. */
  watch(server: Server): void {
    // Beyond, Node drops what it accepts, so that descriptors are left to say so to a few.
    server.maxConnections = this.limits.maxConnections + REFUSED_TOGETHER
    server.on('drop', (data) =>
      this.refusals.add('TOO_MANY_CONNECTIONS', 'connection', data?.remoteAddress ?? null),
    )
    const isTls = server instanceof TlsServer
    // Requests know the encrypted connection, whose place is that of the one beneath it.
    server.on('secureConnection', (socket: Socket & Connection) => {
      if (this.#addresses.isProxy(socket.remoteAddress)) return
      socket[CALLER] = { ...this.#stranger, address: this.#addresses.of({ socket, headers: {} }) }
    })
    const connections = this.#connections
    // Not a closure over the connection, of which there are thousands.
    function giveBack(this: Connection) {
      connections.give(holdersOfSocket(this[CALLER]))
    }
    server.on('connection', (socket: Socket & Connection) => {
      const { remoteAddress } = socket
      const isProxy = this.#addresses.isProxy(remoteAddress)
      const address = this.#addresses.of({ socket, headers: {} })
      if (!isProxy) socket[CALLER] = { ...this.#stranger, address }
      try {
        connections.take(holdersOfSocket(socket[CALLER]))
        socket.on('close', giveBack)
      } catch (error) {
        this.refusals.add((error as EpochcastError).code, 'connection', address)
        // There is no way to say so before the handshake.
        if (isTls) socket.destroy()
        else endSoon(socket, rawResponse('503 Service Unavailable', error as EpochcastError))
      }
    })
  }

  /** Who sent a request, or asks for an upgrade, as long as nothing but its address is known. */
  strangerOf(request: Pick<IncomingMessage, 'headers' | 'socket'>): Caller {
    const { [CALLER]: caller }: Connection = request.socket
    return caller ?? { ...this.#stranger, address: this.#addresses.of(request) }
  }

  /**
   * Takes what a query or a mutation needs; the returned function gives back what it holds while it is under way.
   *
   * @throws EpochcastError RATE_LIMITED, OVERLOADED
   */
  admit({ document, operationName, contextValue }: ExecutionArgs): () => void {
    const { caller } = contextValue as Context
    const operation = getOperationAST(document, operationName)
    if (operation?.operation === OperationTypeNode.QUERY) {
      const holders = holdersOf(caller)
      this.queries.take(holders)
      return () => this.queries.give(holders)
    }
    // Each of its fields is run.
    if (operation) this.admitMutations(caller, rootFieldsOf(document, operation).length)
    return NOTHING_HELD
  }

  /**
   * OVERLOADED where a client is not to be given what its query found, as others of its queries have left it too much to
   * read meanwhile. What a mutation did is told in any case.
   */
  refuseAnswer(operation: ExecutionArgs): EpochcastError | null {
    const holder = holderOf((operation.contextValue as Context).caller)
    if (!this.waiting.isOver(holder)) return null
    return isQuery(operation) ? this.waiting.refusal(holder) : null
  }

  /** @throws EpochcastError RATE_LIMITED */
  admitMutations(caller: Caller, count = 1): void {
    for (const holder of holdersOf(caller)) this.mutations.take(holder, count)
  }

  /**
   * Takes a place for a WebSocket until the socket is closed; where its connection has one, nothing.
   *
   * @throws EpochcastError TOO_MANY_CONNECTIONS
   */
  takeSocket(socket: Connection, caller: Caller): void {
    if (socket[CALLER] !== undefined) return
    const holders = holdersOfSocket(caller)
    this.#proxied.take(holders)
    socket.on('close', () => this.#proxied.give(holders))
  }
}

/** Who holds what a caller has. */
export const holderOf = ({ address }: Caller): string => address ?? 'server'
