// @ts-check
// Reads all of a data directory, in a process of its own: LMDB trusts its pages, and one that is damaged or missing can
// end the process that reads it. `node check-file.js <directory> <table>…`. Ends with 0 where every page in use can be
// read; prints how many records are not as they were written. By itself, in JavaScript: it runs from the sources, too.
import { crc32 } from 'node:zlib'
import { open } from 'lmdb'

const [path = '', ...names] = process.argv.slice(2)
/** @type {{ encoding: 'binary', keyEncoding: 'binary' }} */
const binary = { encoding: 'binary', keyEncoding: 'binary' }
const root = open({ ...binary, path, noSubdir: false, readOnly: true, maxDbs: names.length })
let damaged = 0
for (const name of names) {
  const table = root.openDB({ ...binary, name })
  // One in which nothing was ever written.
  if (!table) continue
  let count = 0
  for (const { key, value } of table.getRange({})) {
    count++
    const body = value.subarray(4)
    // As `seal` of records.ts.
    if (value.length < 4 || value.readUInt32LE() !== crc32(body, crc32(/** @type {Buffer} */ (key))))
      damaged++
  }
  const { entryCount } = /** @type {{ entryCount: number }} */ (table.getStats())
  if (count !== entryCount) throw new Error(`the table ${name} has ${count} records; expected ${entryCount}`)
}
process.stdout.write(`${damaged}`)
