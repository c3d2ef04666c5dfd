const { createElement } = require('react')
const { renderToString } = require('react-dom/server')

async function main() {
  const [url] = process.argv.slice(2)
  const { createClient, ServerDocument } = await import('epochcast/client')
  const { EpochcastProvider, useTask } = await import('epochcast/react')
  const { server } = await createClient({ url }).execute(ServerDocument, {})
  const Viewer = () => createElement('p', null, useTask('some').state.kind)
  const html = renderToString(createElement(EpochcastProvider, { url }, createElement(Viewer)))
  if (html !== '<p>connecting</p>' || !server.engine.connected) throw new Error(html)
  console.log(server.version, html)
}
main()
