#!/usr/bin/env node
// Not in dist, so that npm finds something to link before the first build.
import { existsSync } from 'node:fs'

const main = new URL('../dist/src/main.js', import.meta.url)
if (existsSync(main)) {
  await import(main.href)
} else {
  console.error('epochcast is not built yet: run "npm run build", or "npm start", first')
  process.exitCode = 3
}
