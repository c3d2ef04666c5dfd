// @ts-check
// Uses a data directory that may be damaged: `node lmdb-prober.js <built engine> <directory> write|probe`.
// `write` makes one with some of everything in it. `probe` reads and writes all that a server would, twice, and prints a
// line for each finding: `refused <why>`, `told <what>`, `gone <task> <events>`, `missing <task>`, and what must never be:
// `wrong <what>`. At its end it prints `done`. The event at offset n of a log says so in its text.
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [engine = '', path = '', mode = ''] = process.argv.slice(2)
const { LmdbStore } = await import(pathToFileURL(engine).href)
const say = (/** @type {unknown[]} */ ...words) => writeSync(1, `${words.join(' ')}\n`)

const TASKS = 40
const EVENTS = 60
const keyOf = (/** @type {string} */ id) => ({ channelPrefix: 'probe', id })

/** @param {string} id @param {number} current */
const event = (id, current) => ({
  type: 'ProgressUpdate',
  current,
  text: `${id} ${current} ${'x'.repeat((current * 137) % (id === 'task7' ? 9000 : 900))}`,
})

const open = () =>
  new LmdbStore({
    path,
    retainEvents: 1_000_000,
    retainSeconds: 3600,
    maxBytes: 10_000_000_000,
    share: 1,
    fsync: false,
    onError: (/** @type {Error} */ { message }) => say('told', message),
  })

/** @typedef {ReturnType<typeof open>} Opened */

/** @param {Opened} store @param {string} id */
async function create(store, id) {
  const spec = { ...keyOf(id), startId: 'once', trainer: 'external', createdAt: 0 }
  await store.create(keyOf(id), [event(id, 1)], { spec, status: 'RUNNING', current: 1 })
}

/** @param {Opened} store @param {string} id @param {number} count */
async function append(store, id, count) {
  const found = await store.snapshot(keyOf(id))
  if (!found) return
  const { top, state, revision } = found
  const events = Array.from({ length: count }, (_, i) => event(id, top.offset + 1 + i))
  const put = [{ name: `s${top.offset % 5}`, bytes: Buffer.from(`${id} segment`) }]
  const curves = { through: 0, index: `${id} index`, put, drop: [] }
  const after = { ...state, current: top.offset + count }
  const request = { expected: top, revision, events, state: after, isFinal: false, curves }
  const result = await store.append(keyOf(id), request)
  if (result.kind !== 'appended') say('wrong', `append to ${id}: ${result.kind}`)
}

/** @param {Opened} store @param {string} id @param {number} least @returns whether all of it is there */
async function check(store, id, least) {
  const found = await store.snapshot(keyOf(id)).catch((/** @type {any} */ error) => {
    if (error.code !== 'DATA_DAMAGED') throw error
    return null
  })
  if (!found) {
    say('missing', id)
    return false
  }
  const { top, state } = found
  if (state.current !== top.offset || state.spec.id !== id) say('wrong', `state of ${id}`)
  if (top.offset < least) say('wrong', `top of ${id}: ${top.offset} of ${least}`)
  let gone = 0
  for (let after = 0; after < top.offset; ) {
    const page = await store.read(keyOf(id), { ...top, offset: after }, 100)
    if (page.kind === 'gone') {
      gone += page.skipped ?? 0
      after = page.resumeAt.offset
      continue
    }
    if (page.kind !== 'entries' || page.entries.length === 0) {
      say('wrong', `${id} is ${page.kind} at ${after}`)
      break
    }
    for (const { offset, event: read } of page.entries) {
      if (offset !== after + 1 || JSON.stringify(read) !== JSON.stringify(event(id, offset)))
        say('wrong', `${id} at ${offset}`)
      after = offset
    }
  }
  if (gone > 0) say('gone', id, gone)
  const names = Array.from({ length: 5 }, (_, i) => `s${i}`)
  for (const segment of await store.readSegments(keyOf(id), names)) {
    if (segment && Buffer.from(segment).toString() !== `${id} segment`) say('wrong', `segment of ${id}`)
  }
  const curves = await store.readCurves(keyOf(id))
  if (curves && curves.index !== null && curves.index !== `${id} index`) say('wrong', `index of ${id}`)
  return gone === 0
}

const ids = Array.from({ length: TASKS }, (_, i) => `task${i}`)

if (mode === 'write') {
  const store = open()
  for (const id of ids) await create(store, id)
  // Beside each other, so that a page has events of one task only now and then.
  for (let i = 1; i < EVENTS; i += 4) for (const id of ids) await append(store, id, 4)
  // What is free again.
  for (let i = 0; i < 30; i++) {
    await create(store, `gone${i}`)
    await append(store, `gone${i}`, 40)
    await store.drop(keyOf(`gone${i}`), await store.snapshot(keyOf(`gone${i}`)))
  }
  await store.close()
} else {
  for (let round = 0; round < 2; round++) {
    let store
    try {
      store = open()
    } catch (error) {
      if (/** @type {Error} */ (error).name !== 'DataDirectoryError') throw error
      say('refused', /** @type {Error} */ (error).message)
      process.exit()
    }
    /** @type {string[]} */
    const whole = []
    for (const id of ids) if (await check(store, id, EVENTS)) whole.push(id)
    await store.list('all', null, 1000)
    for (let i = 0; i < 40; i++) {
      await create(store, `new${round}-${i}`)
      for (const id of [`new${round}-${i}`, whole[i]]) if (id) await append(store, id, 20)
    }
    for (const id of whole) if (!(await check(store, id, EVENTS))) say('wrong', `${id} was whole before`)
    for (let i = 0; i < 40; i++) {
      if (!(await check(store, `new${round}-${i}`, 21))) say('wrong', `new${round}-${i} is not whole`)
    }
    await store.close()
  }
}
say('done')
