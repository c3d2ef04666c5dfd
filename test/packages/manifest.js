// The manifest that a project makes of our operations is the one that the package has:  node manifest.js ROOT
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (path) => Object.keys(JSON.parse(readFileSync(path, 'utf8'))).sort()
const theirs = read('preset/persisted-documents.json')
const ours = read('node_modules/epochcast/clients/typescript/generated/persisted-documents.json')
const missing = ours.filter((hash) => !theirs.includes(hash))
if (ours.length === 0 || missing.length > 0) {
  throw new Error(
    `${missing.length} of ${ours.length} documents have other hashes than in ${join(process.argv[2] ?? '')}`,
  )
}
