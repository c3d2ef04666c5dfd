import { createClient, ServerDocument } from 'epochcast/client'
import { EpochcastProvider } from 'epochcast/react'
import { Training } from './training'

export const dynamic = 'force-dynamic'

/** On the server, with a part that goes on in the page. */
export default async function Page() {
  const url = process.env.EPOCHCAST_URL
  const { server } = await createClient({ url }).execute(ServerDocument, {})
  return (
    <EpochcastProvider url={url}>
      <h1>Engine: {server.engine.name}</h1>
      <Training taskId="some" />
    </EpochcastProvider>
  )
}
