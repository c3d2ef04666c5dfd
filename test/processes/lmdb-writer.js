// @ts-check
// Writes to a data directory until it is killed: `node lmdb-writer.js <built engine> <directory> <tasks>`. First it tells
// what it found (`found <task> <top>` or `damaged <what>`), then, as it happens, `acknowledged <task> <top>` and
// `shown <task> <top>`. The event at offset n of a log is report n of its task.
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [engine = '', path = '', tasks = ''] = process.argv.slice(2)
const { LmdbStore } = await import(pathToFileURL(engine).href)
const say = (/** @type {unknown[]} */ ...words) => writeSync(1, `${words.join(' ')}\n`)

const store = new LmdbStore({
  path,
  retainEvents: 1_000_000,
  retainSeconds: 3600,
  maxBytes: 10_000_000_000,
  share: 1,
  fsync: true,
  onError: (/** @type {Error} */ { message }) => say('damaged', message.replaceAll(' ', '_')),
})

/** @param {number} current */
const event = (current) => ({ type: 'ProgressUpdate', current, text: 'x'.repeat((current * 37) % 900) })

/** @param {string} id */
async function prepare(id) {
  const key = { channelPrefix: 'crash', id }
  const spec = { ...key, startId: 'once', trainer: 'external', createdAt: 0 }
  const { snapshot } = await store.create(key, [event(1)], { spec, status: 'RUNNING', current: 1 })
  for (let offset = 0; offset < snapshot.top.offset; ) {
    const page = await store.read(key, { ...snapshot.top, offset }, 1000)
    for (const { offset: at, event: found } of page.entries ?? []) {
      if (at !== offset + 1 || found.current !== at || found.text.length !== (at * 37) % 900) {
        say('damaged', `${id}_at_${at}`)
      }
      offset = at
    }
    if (page.kind !== 'entries') throw new Error(`${id} is ${page.kind} at ${offset}`)
  }
  if (snapshot.state.current !== snapshot.top.offset) say('damaged', `the_state_of_${id}`)
  await store.watch(key, (/** @type {any} */ signal) => say('shown', id, signal.top.offset))
  say('found', id, snapshot.top.offset)
  return { key, snapshot }
}

/** @param {Awaited<ReturnType<typeof prepare>>} prepared */
async function write({ key, snapshot: { top, state } }) {
  for (let expected = top; ; ) {
    const count = 1 + Math.floor(Math.random() * (Math.random() < 0.1 ? 400 : 5))
    const events = Array.from({ length: count }, (_, i) => event(expected.offset + 1 + i))
    const after = { ...state, current: expected.offset + count }
    const result = await store.append(key, { expected, events, state: after, isFinal: false })
    if (result.kind !== 'appended') throw new Error(`${key.id}: ${result.kind}`)
    expected = result.top
    say('acknowledged', key.id, expected.offset)
  }
}

const ids = Array.from({ length: Number(tasks) }, (_, i) => `task${i}`)
await Promise.all((await Promise.all(ids.map(prepare))).map(write))
