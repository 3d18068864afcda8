import { render } from 'preact';
import { Link, Route, Switch } from 'wouter-preact';
import { Frame } from './frame/frame.tsx';
import { keepShortcuts } from './frame/shortcuts.ts';
import { keepLive } from './live.ts';
import { AccountPage } from './pages/account.tsx';
import { AccountsPage } from './pages/accounts.tsx';
import { AuditPage } from './pages/audit.tsx';
import { OperationsPage } from './pages/operations.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PolicyPage } from './pages/policy.tsx';
import { RunPage } from './pages/run.tsx';
import { RunsPage } from './pages/runs.tsx';
import { Heading } from './parts/heading.tsx';
import { applyTheme } from './parts/theme.tsx';
import { keepTime } from './parts/time.tsx';

function App() {
  return (
    <Frame>
      <Switch>
        <Route path="/" component={OverviewPage} />
        <Route path="/accounts" component={AccountsPage} />
        <Route path="/account" component={AccountPage} />
        <Route path="/audit" component={AuditPage} />
        <Route path="/runs" component={RunsPage} />
        <Route path="/run" component={RunPage} />
        <Route path="/policy" component={PolicyPage} />
        <Route path="/operations" component={OperationsPage} />
        <Route>
          <Heading title="Not found">Page not found</Heading>
          <p>
            <Link href="/">Go to the overview</Link>
          </p>
        </Route>
      </Switch>
    </Frame>
  );
}

function start(): void {
  const place = document.getElementById('app');
  if (place === null) throw new Error('the page has no element with the id app');
  applyTheme();
  keepTime();
  keepShortcuts();
  keepLive();
  render(<App />, place);
}

start();
