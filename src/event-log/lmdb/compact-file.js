// @ts-check
// Copies the file of a data directory into another directory, without its list of free pages: `node compact-file.js
// <directory> <target>`. In a process of its own, as the library copies in the background only, and by itself, in
// JavaScript: it runs from the sources, too.
import { open } from 'lmdb'

const [path = '', target = ''] = process.argv.slice(2)
const root = open({ path, noSubdir: false, readOnly: true, encoding: 'binary', keyEncoding: 'binary' })
await root.backup(target, true)
await root.close()
