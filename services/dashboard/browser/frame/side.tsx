import { Link, useLocation } from 'wouter-preact';
import { actorName } from '../../../../shared/domain/actor.ts';
import { connected, progress } from '../live.ts';
import { AUDIT_LOOKS } from '../parts/audit-state.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { ThemeButton } from '../parts/theme.tsx';
import { Age, now } from '../parts/time.tsx';
import { setZone, timeText, zone, zoneName } from '../time-text.ts';
import type { Status } from '../types.ts';
import { count, number } from '../words.ts';
import { PAGES, type Page } from './pages.ts';
import { open } from './shortcuts.ts';
import { useStatus, useVerification, useWhoAmI } from './source.ts';

/** The navigation, with what is true on every page: the organization, whether its audit log is intact, and who is signed in. */
export function Side() {
  const status = useStatus().data;
  return (
    <section class="side" aria-label="Sidebar">
      <Organization />
      <button type="button" class="find" onClick={() => (open.value = 'search')}>
        <Icon name="search" />
        <span>Search</span>
        <kbd>{/Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <Navigation status={status} />
      <div class="side-foot">
        {status !== null && status.halted !== null && <HaltBadge halted={status.halted} />}
        <AuditBadge />
        <Live />
        <Reader />
      </div>
    </section>
  );
}

function Logo() {
  return <img class="logo" src="/icon.svg" alt="" />;
}

function useOrganization(): { readonly name: string; readonly id: string | null } {
  const organization = useWhoAmI()?.organization ?? null;
  return { name: organization?.name ?? 'Rollcall', id: organization?.id ?? null };
}

function Organization() {
  const { name, id } = useOrganization();
  return (
    <div class="org">
      <Logo />
      <div>
        <strong>{name}</strong>
        {id !== null && <span class="mono">{id}</span>}
      </div>
    </div>
  );
}

/** The bar above a narrow page. */
export function TopBar() {
  const { name, id } = useOrganization();
  const halted = useStatus().data?.halted ?? null;
  return (
    <header class="topbar">
      <Logo />
      <strong>
        {name} <small>{halted === null ? id : 'Remediation halted'}</small>
      </strong>
      <span class="right">
        <button type="button" class="icon-btn" aria-label="Search" onClick={() => (open.value = 'search')}>
          <Icon name="search" />
        </button>
        <ThemeButton />
      </span>
    </header>
  );
}

function Navigation({ status }: { readonly status: Status | null }) {
  const [path] = useLocation();
  // On the page of one account or run, the navigation marks the list that it belongs to.
  const current = ({ href, item }: Page) =>
    path === href ? ({ 'aria-current': 'page' } as const) : path === item ? ({ 'aria-current': 'true' } as const) : {};
  const more = PAGES.some((page) => page.more && 'aria-current' in current(page));
  return (
    <nav class="nav" aria-label="Main">
      {PAGES.map((page) => (
        <Link key={page.href} href={page.href} title={page.title} class={page.more ? 'more-d' : ''} {...current(page)}>
          <Icon name={page.icon} />
          <span>{page.title}</span>
          <Badge page={page} status={status} />
        </Link>
      ))}
      <button
        type="button"
        class="more-m"
        aria-current={more ? 'true' : undefined}
        onClick={() => (open.value = 'more')}
      >
        <Icon name="more" />
        <span>More</span>
      </button>
    </nav>
  );
}

/** The number of accounts that need attention, the progress of the current run (or a mark if a guardrail stopped the last one), or the number of dead letters. */
function Badge({ page, status }: { readonly page: Page; readonly status: Status | null }) {
  if (status === null) return null;
  if (page.href === '/accounts') {
    const accounts = status.accounts.statuses['Needs attention'] ?? 0;
    return accounts === 0 ? null : (
      <span class="badge bad" title={`${count(accounts, 'account')} ${accounts === 1 ? 'needs' : 'need'} attention`}>
        <Mark name="attention" />
        {number(accounts)}
      </span>
    );
  }
  if (page.href === '/runs') return <RunBadge status={status} />;
  const { dead } = status.queue;
  return page.href !== '/operations' || dead === 0 ? null : (
    <span class="badge" title={count(dead, 'dead letter')}>
      {number(dead)}
    </span>
  );
}

function RunBadge({ status: { guardrail, approvals } }: { readonly status: Status }) {
  const { value } = progress;
  if (value === null || value.phase === 'idle' || value.changes.total === 0) {
    const isOpen = guardrail !== null && !approvals.some(({ planHash }) => planHash === guardrail.planHash);
    return isOpen ? <StopBadge /> : null;
  }
  const { total, confirmed, notNeeded } = value.changes;
  return (
    <span class="badge busy" title="Run in progress">
      {Math.floor(((confirmed + notNeeded) / total) * 100)}%
    </span>
  );
}

function StopBadge() {
  return (
    <span class="badge bad" title="A guardrail stopped the last run">
      <Mark name="attention" />1<span class="sr"> run stopped by a guardrail</span>
    </span>
  );
}

function HaltBadge({ halted: { at, by } }: { readonly halted: NonNullable<Status['halted']> }) {
  return (
    <Link class="proof" href="/" title="Remediation halted">
      <Mark name="attention" class="c-attention" />
      <div>
        <b>Remediation halted</b>
        <small>
          {timeText(Date.parse(at), now.value)} {zoneName()} by {actorName(by)}
        </small>
      </div>
    </Link>
  );
}

/** Whether the audit log is intact, on every page. */
function AuditBadge() {
  const { data } = useVerification();
  if (data === null) return null;
  const { tone, mark, word } = AUDIT_LOOKS[data.state];
  return (
    <Link class="proof" href="/audit" title={`Audit log ${word}`}>
      <span class={`st c-${tone}`}>
        <Mark name={mark} />
      </span>
      <div>
        <b>Audit log {word}</b>
        <small>
          {data.verifiedAt === null ? (
            'Not verified yet'
          ) : (
            <>
              Verified <Age iso={data.verifiedAt} phrase />
            </>
          )}
        </small>
      </div>
    </Link>
  );
}

function Live() {
  const here = zone.value === 'UTC' ? 'local' : 'UTC';
  return (
    <div class="live">
      <span class="dot" data-live={connected.value} />
      <span>
        <span role="status">{connected.value ? 'Live' : 'Not live'}</span>
        {' · '}
        <button
          type="button"
          class="plain"
          title={here === 'UTC' ? 'Show all times in UTC' : 'Show all times in your time zone'}
          onClick={() => setZone(here)}
        >
          {timeText(now.value, now.value)} {zoneName()}
        </button>
      </span>
      <ThemeButton />
    </div>
  );
}

/** The signed-in reader, the role, and what this Rollcall runs with. */
function Reader() {
  const whoami = useWhoAmI();
  if (whoami === null) return null;
  const { actor, role, version, runtime, policy } = whoami;
  const name = actorName(actor);
  return (
    <>
      <div class="me" title={actor}>
        <span class="face" aria-hidden="true">
          {initials(name)}
        </span>
        <div>
          <b>{name}</b>
          <span class="muted">Role: {role}</span>
        </div>
      </div>
      <p class="about">
        {policy !== null && (
          <Link href="/policy" title={`Policy ${policy.hash}`}>
            {policy.file ?? 'Policy'} <span class="mono nowrap">{policy.hash.slice(0, 8)}</span>
          </Link>
        )}
        <span>
          Rollcall {version}, {runtime}
        </span>
      </p>
    </>
  );
}

/** `dana.okafor` as `DO`. */
function initials(name: string): string {
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== '');
  const letters =
    parts.length > 1 ? parts.slice(0, 2).map((part) => part.slice(0, 1)) : [(parts[0] ?? '?').slice(0, 2)];
  return letters.join('').toUpperCase();
}
