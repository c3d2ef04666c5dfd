import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import {
  collect,
  type Data,
  eventsOf,
  progressReports,
  type Result,
  report,
  run,
  startExternal,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { until } from '../support/until.ts'

const EVENTS = /* GraphQL */ `
  query ($id: ID!, $first: Int, $after: Cursor) {
    task(id: $id) {
      cursor
      events(first: $first, after: $after) {
        edges { cursor node { __typename taskId cursor timestamp ... on ProgressUpdate { current } ... on EventsSkipped { count skipReason } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }`

describeEngines((open) => {
  /** The first cursor of a task with 1 + 1 + 4000 events, most of which are trimmed. */
  const trimmed = async () => {
    const { url } = await open({ EPOCHCAST_RETAIN_EVENTS: '100' })
    const id = await startExternal(url)
    const before = (await run(url, EVENTS, { id })).task.cursor as string
    const page = async (variables: object = {}) =>
      (await run(url, EVENTS, { id, ...variables })).task.events as Data
    for (let i = 0; i < 4; i++) await report(url, id, ...progressReports(i * 1000 + 1, (i + 1) * 1000))
    await until('events to be trimmed', async () => (await page({ first: 1 })).edges[0].node.current > 1)
    return { url, id, before, page }
  }
  const currents = ({ edges }: Data): number[] =>
    edges.flatMap(({ node }: Data) => (node.current === undefined ? [] : [node.current]))

  it('a page after a trimmed cursor says what is missing, as the subscription does', async () => {
    const { url, id, before, page } = await trimmed()
    const { edges, pageInfo } = await page({ after: before, first: 3 })
    const [gap, first, second] = edges
    expect(gap.node).toEqual({
      __typename: 'EventsSkipped',
      taskId: id,
      cursor: gap.cursor,
      timestamp: expect.any(String),
      count: first.node.current,
      skipReason: 'TRIMMED',
    })
    expect(second.node.current).toBe(first.node.current + 1)
    expect(edges).toHaveLength(3)
    expect(pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: true,
      startCursor: gap.cursor,
      endCursor: second.cursor,
    })

    const viewer = webSocketClient(url)
    const results: Result[] = []
    const watched = collect(viewer, WATCH, { taskId: id, after: before }, (result) => results.push(result))
    const told = () => eventsOf(results).find(({ __typename }: Data) => __typename === 'EventsSkipped')
    await until('the stream to say it', () => told() !== undefined)
    await report(url, id, { success: {} })
    await watched
    expect(told()).toMatchObject({ count: gap.node.count, skipReason: 'TRIMMED', cursor: gap.cursor })
  })

  it('a reader that goes from page to page gets the gap once, and then everything that is left', async () => {
    const { before, page } = await trimmed()
    for (const first of [1, 2, 700]) {
      const kinds: string[] = []
      const seen: number[] = []
      let after = before
      for (let pages = 0; pages < 5 || first > 1; pages++) {
        const { edges, pageInfo } = await page({ after, first })
        expect(edges.length).toBeLessThanOrEqual(first)
        kinds.push(...edges.map(({ node }: Data) => node.__typename))
        seen.push(...currents({ edges }))
        after = pageInfo.endCursor ?? after
        if (!pageInfo.hasNextPage || seen.length > 1500) break
      }
      expect(kinds.filter((kind) => kind === 'EventsSkipped')).toHaveLength(1)
      expect(kinds[0]).toBe('EventsSkipped')
      expect(seen).toEqual(seen.map((_, i) => (seen[0] as number) + i))
    }
  })

  it('hasPreviousPage tells of events that are gone, too', async () => {
    const { before, page } = await trimmed()
    const oldest = await page({ first: 1 })
    expect(oldest.edges[0].node.__typename).toBe('ProgressUpdate')
    expect(oldest.pageInfo.hasPreviousPage).toBe(true)
    expect((await page({ first: 0 })).pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true })
    expect((await page({ first: 0, after: before })).edges).toEqual([])
    const last = await page({ after: oldest.pageInfo.endCursor, first: 1000 })
    expect(last.edges[0].node.__typename).toBe('ProgressUpdate')
    expect(last.pageInfo.hasPreviousPage).toBe(true)
  })

  it('of a log that lost nothing nothing is missing', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    await report(url, id, ...progressReports(1, 3))
    const whole = (await run(url, EVENTS, { id })).task.events
    expect(currents(whole)).toEqual([1, 2, 3])
    expect(whole.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: false })
    const rest = (await run(url, EVENTS, { id, after: whole.edges[0].cursor })).task.events
    expect(rest.edges).toEqual(whole.edges.slice(1))
    expect(rest.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false })
  })
})
