import { Link, useRoute } from 'wouter'
import { Icon } from '../ui/icons.tsx'
import { ConnectionPill } from './connection-pill.tsx'
import { useTheme } from './theme.ts'

export function Header() {
  const { theme, next } = useTheme()
  return (
    <header className="header">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Link href="/" className="brand">
        <img src="/favicon.svg" alt="" width="24" height="24" />
        <span>Epochcast</span>
      </Link>
      <nav className="nav" aria-label="Pages">
        <NavLink href="/">Runs</NavLink>
        <NavLink href="/compare">Compare</NavLink>
        <NavLink href="/start">Start</NavLink>
      </nav>
      <div className="header-end">
        <a className="nav-link only-wide" href="/graphql">
          GraphiQL
        </a>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label={`Theme: ${theme}`}
          title={`Theme: ${theme}`}
          onClick={next}
        >
          <Icon name={theme} />
        </button>
        <ConnectionPill />
      </div>
    </header>
  )
}

function NavLink({ href, children }: { href: string; children: string }) {
  const [isHere] = useRoute(href)
  return (
    <Link href={href} className="nav-link" aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  )
}
