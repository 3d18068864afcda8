import { render } from 'preact';
import { Link, Route, Switch, useLocation } from 'wouter-preact';
import { connected, keepLive } from './live.ts';
import { AccountPage } from './pages/account.tsx';
import { AccountsPage } from './pages/accounts.tsx';
import { AuditPage } from './pages/audit.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PolicyPage } from './pages/policy.tsx';
import { RunPage, RunsPage } from './pages/runs.tsx';
import { CommandDialog, CommandResult } from './parts/operate.tsx';
import { Heading, keepTime } from './parts/small.tsx';
import { applyTheme, ThemeChoice } from './parts/theme.tsx';
import { TokenDialog } from './parts/token.tsx';

const PAGES = [
  ['/', 'Overview', null],
  ['/accounts', 'Accounts', '/account'],
  ['/audit', 'Audit', null],
  ['/runs', 'Runs', '/run'],
  ['/policy', 'Policy', null],
] as const;

function Top() {
  const [path] = useLocation();
  // On the page of one account or run, the navigation marks the list that it belongs to.
  const current = (href: string, one: string | null) =>
    path === href ? ({ 'aria-current': 'page' } as const) : path === one ? ({ 'aria-current': 'true' } as const) : {};
  return (
    <header class="top container-fluid">
      <nav aria-label="Main">
        <span class="brand">
          <img src="/icon.svg" alt="" />
          Rollcall
        </span>
        <ul class="pages">
          {PAGES.map(([href, title, one]) => (
            <li key={href}>
              <Link href={href} {...current(href, one)}>
                {title}
              </Link>
            </li>
          ))}
        </ul>
        <div class="side">
          <span class="live" role="status" data-live={connected.value}>
            <span class="mark" aria-hidden="true" />
            <span>{connected.value ? 'Live' : 'Not live'}</span>
          </span>
          <ThemeChoice />
        </div>
      </nav>
    </header>
  );
}

function App() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Top />
      <main id="main" class="container-fluid" tabIndex={-1}>
        <CommandResult />
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/accounts" component={AccountsPage} />
          <Route path="/account" component={AccountPage} />
          <Route path="/audit" component={AuditPage} />
          <Route path="/runs" component={RunsPage} />
          <Route path="/run" component={RunPage} />
          <Route path="/policy" component={PolicyPage} />
          <Route>
            <Heading title="Not found">Page not found</Heading>
            <p>
              <Link href="/">Go to the overview</Link>
            </p>
          </Route>
        </Switch>
      </main>
      <CommandDialog />
      <TokenDialog />
    </>
  );
}

function start(): void {
  const place = document.getElementById('app');
  if (place === null) throw new Error('the page has no element with the id app');
  applyTheme();
  keepTime();
  keepLive();
  render(<App />, place);
}

start();
