import { lazy, Suspense } from 'react'
import { Link, Route, Switch, useLocation } from 'wouter'
import { useSession } from './session/context.tsx'
import { Header } from './shell/header.tsx'
import { LoadGuard } from './shell/load-guard.tsx'
import { OriginNotice } from './shell/origin-notice.tsx'
import { SignIn } from './shell/sign-in.tsx'
import { TasksPage } from './tasks/tasks-page.tsx'
import { Empty } from './ui/parts.tsx'

const RunPage = lazy(() => import('./run/run-page.tsx'))
const ComparePage = lazy(() => import('./compare/compare-page.tsx'))
const StartPage = lazy(() => import('./start/start-page.tsx'))
const EmbedPage = lazy(() => import('./embed/embed-page.tsx'))

export function App() {
  return (
    <Suspense fallback={<p className="loading">Loading</p>}>
      <Switch>
        <Route path="/embed/task/:prefix/:id">
          {({ prefix, id }) => <EmbedPage channelPrefix={text(prefix)} taskId={text(id)} />}
        </Route>
        <Route path="/embed/task/:id">{({ id }) => <EmbedPage taskId={text(id)} />}</Route>
        <Route>
          <Pages />
        </Route>
      </Switch>
    </Suspense>
  )
}

function Pages() {
  const { refusal } = useSession().state
  const [path] = useLocation()
  if (refusal !== null) return <SignIn refusal={refusal} />
  return (
    <>
      <Header />
      <main id="main" className="main" tabIndex={-1}>
        <OriginNotice />
        <LoadGuard key={path}>
          <Suspense fallback={<p className="loading">Loading</p>}>
            <Switch>
              <Route path="/">
                <TasksPage />
              </Route>
              <Route path="/tasks/:prefix/:id">
                {({ prefix, id }) => (
                  <RunPage key={`${prefix}/${id}`} channelPrefix={text(prefix)} taskId={text(id)} />
                )}
              </Route>
              <Route path="/compare">
                <ComparePage />
              </Route>
              <Route path="/start">
                <StartPage />
              </Route>
              <Route>
                <Empty title="There is nothing here" isPage>
                  <Link href="/" className="button">
                    All runs
                  </Link>
                </Empty>
              </Route>
            </Switch>
          </Suspense>
        </LoadGuard>
      </main>
    </>
  )
}

/** As it was before it was written into an address; as it stands, where nobody wrote it so. */
function text(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
