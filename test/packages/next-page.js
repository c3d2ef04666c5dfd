// Starts what `next build` built, and looks at what its server renders:  node next-page.js PORT EPOCHCAST_URL
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const [port, url] = process.argv.slice(2)
const next = spawn(
  process.execPath,
  [join(process.cwd(), 'node_modules/next/dist/bin/next'), 'start', '-p', port],
  {
    env: { ...process.env, EPOCHCAST_URL: url },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
try {
  const deadline = performance.now() + 30_000
  for (;;) {
    const html = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.text(),
      () => '',
    )
    const text = html.replace(/<script.*?<\/script>/gs, '').replace(/<!-- -->|<[^>]+>/g, '')
    if (text.includes('Engine: memory') && text.includes('Task: connecting')) break
    if (performance.now() > deadline) throw new Error(`the page is ${text}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
} finally {
  next.kill('SIGKILL')
}
