import { CSPProvider } from '@base-ui/react/csp-provider'
import { createRoot } from 'react-dom/client'
import './styles/index.css'
import { App } from './app.tsx'
import { SessionProvider } from './session/context.tsx'
import { Session } from './session/session.ts'
import { applyTheme } from './shell/theme.ts'

applyTheme()
const root = document.getElementById('root')
if (!root) throw new Error('the page has no #root')
createRoot(root).render(
  <CSPProvider disableStyleElements>
    <SessionProvider session={new Session(`${location.origin}/graphql`)}>
      <App />
    </SessionProvider>
  </CSPProvider>,
)
