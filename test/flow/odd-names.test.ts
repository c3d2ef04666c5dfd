import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { collectSse, type Data, eventsOf, post, REPORT, run, START, WATCH } from '../support/graphql.ts'

/** What JavaScript's objects have by themselves, and JSON may have as well. */
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

/** `__proto__` is refused among metrics, in words. */
const METRICS = NAMES.filter((name) => name !== '__proto__')

/** As text: an object literal would take `__proto__` for something else. */
const jsonOf = (value: unknown, names = NAMES) =>
  `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`

/** What breaks lines in one protocol or another, or steers a terminal. */
const BREAKING = 'a\r\n\r\ndata: {"x":1}\n\nevent: complete\r\u2028b\u2029\u0085c\u001b[2J\u009b31m\u0000d'

describeEngines((open) => {
  it('metrics, producers, members, labels and parameters may be called as what objects inherit', async () => {
    const { url } = await open()
    const body = async (query: string, variables: string): Promise<Data> => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
      })
      const { data, errors } = (await response.json()) as Data
      expect(errors).toBeUndefined()
      return data
    }
    const { startTraining } = await body(
      START,
      `{"input":{"trainer":"external","labels":${jsonOf('odd')},"params":${jsonOf(7)}}}`,
    )
    const { id } = startTraining.task
    const expected = (value: unknown) => JSON.parse(jsonOf(value))
    expect(startTraining.task.params).toEqual(expected(7))
    const reports = (value: number) =>
      `[{"progress":{"current":${value},"metrics":${jsonOf(value, METRICS)}}}]`
    const input = (more: string, value: number) =>
      `{"input":{"taskId":"${id}","reports":${reports(value)}${more}}}`
    for (const [i, name] of NAMES.entries()) {
      const producer = `,"producer":${JSON.stringify(name)},"firstSequence":1`
      expect(await body(REPORT, input(producer, i + 1))).toMatchObject({ reportMetrics: { accepted: 1 } })
      expect(await body(REPORT, input(producer, i + 1))).toMatchObject({ reportMetrics: { duplicates: 1 } })
    }
    for (const name of NAMES) await body(REPORT, input(`,"member":${JSON.stringify(name)}`, 9))
    const query = `query ($id: ID!) { task(id: $id) { metrics labels params series(names: ${JSON.stringify(METRICS)}) { name member points { value } } } }`
    const { task } = await body(query, `{"id":"${id}"}`)
    expect(task.metrics).toEqual(JSON.parse(jsonOf(6, METRICS)))
    expect([task.labels, task.params]).toEqual([expected('odd'), expected(7)])
    const own = task.series.filter(({ member }: Data) => member === null)
    expect(own.map(({ name }: Data) => name).sort()).toEqual([...METRICS].sort())
    for (const { points } of own) expect(points.map(({ value }: Data) => value)).toEqual([1, 2, 3, 4, 5, 6])
    expect(new Set(task.series.map(({ member }: Data) => member))).toEqual(new Set([null, ...NAMES]))
    for (const name of NAMES) {
      const { tasks } = await body(
        `query ($filter: TaskFilter) { tasks(filter: $filter) { edges { node { id } } } }`,
        `{"filter":{"labels":{${JSON.stringify(name)}:"odd"}}}`,
      )
      expect(tasks.edges, name).toEqual([{ node: { id } }])
    }
    expect({}).not.toHaveProperty('polluted')
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('a text stays one text in server-sent events, whatever would end a line there', async () => {
    const { url } = await open()
    const { startTraining } = await run(url, START, {
      input: { trainer: 'external', labels: { text: BREAKING } },
    })
    const taskId = startTraining.task.id
    const reports = [
      { error: { error: BREAKING } },
      { progress: { current: 1, metrics: { [BREAKING.slice(0, 20).replaceAll(/\s/g, ' ')]: 1 } } },
      { success: { result: { text: BREAKING } } },
    ]
    const { errors } = await post(url, REPORT, { input: { taskId, reports } })
    expect(errors).toBeUndefined()
    const query = WATCH.replace(
      '... on TrainingSucceeded',
      '... on ErrorReported { error }\n ... on TrainingSucceeded',
    )
    const events = eventsOf(await collectSse(url, query, { taskId, last: 10 }))
    expect(events.find((event) => event.__typename === 'ErrorReported')?.error).toBe(BREAKING)
    expect(events.find((event) => event.__typename === 'TrainingSucceeded')?.result).toEqual({
      text: BREAKING,
    })
    expect(events.at(-1)?.__typename).toBe('StreamClosing')

    // As bytes: no line is anything but ours, whoever it is that reads them, refusals among them.
    for (const id of [taskId, BREAKING]) {
      const body = JSON.stringify({ query, variables: { taskId: id, last: 10 } })
      const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
      const stream = await (await fetch(url, { method: 'POST', headers, body })).text()
      const lines = stream.split(/\r\n|\n|\r/)
      expect(
        lines.filter(
          (line) => !/^(id: [\w~.=-]+|event: (next|complete)|data: \{.*\}|data:|:|)$/su.test(line),
        ),
      ).toEqual([])
      expect(lines.filter((line) => line === 'event: complete')).toHaveLength(1)
      for (const line of lines) if (line.startsWith('data: ')) JSON.parse(line.slice(6))
    }
  })
})
