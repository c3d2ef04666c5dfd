// Part of `npm run build`: TypeScript puts a copy of package.json into dist/, for the version; bundlers read what it says of the
// files beside it, where paths are others than in the root, and an `exports` there is an error.
import { readFileSync, writeFileSync } from 'node:fs'

const { name, version, type, sideEffects } = JSON.parse(readFileSync('package.json', 'utf8'))
const ofDist = sideEffects.flatMap((path) =>
  path.startsWith('./dist/') ? [path.replace('./dist/', './')] : [],
)
writeFileSync(
  'dist/package.json',
  `${JSON.stringify({ name, version, type, sideEffects: ofDist }, null, 2)}\n`,
)
