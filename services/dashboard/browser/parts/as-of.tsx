import { Link } from 'wouter-preact';
import { FIRST_KIND, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn } from '../../../../shared/domain/enrollment/status.ts';
import { READ } from '../endpoints.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { AsOf } from '../types.ts';
import { count, number, stateText } from '../words.ts';
import { Button, Choice } from './form.tsx';
import { StatusMark } from './icon.tsx';
import { Empty, Loaded } from './small.tsx';
import { DataTable } from './table.tsx';
import { Time } from './time.tsx';

export function AsOfSearch() {
  const [params, change] = useParams();
  const at = isoOf(params.get('at'));
  const [first, status] = [Math.max(0, Number(params.get('first')) || 0), params.get('status')];
  const asOf = useResource<AsOf>(at === null ? null : READ.asOf(at, status, first));
  return (
    <section class="card" aria-labelledby="as-of">
      <h2 id="as-of">State at a point in time</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          As of
          <input
            type="datetime-local"
            value={params.get('at') ?? ''}
            max={fieldOf(new Date())}
            onChange={(event) => change({ at: event.currentTarget.value, first: null })}
          />
        </label>
        <Choice
          label="Status"
          value={status ?? ''}
          options={Object.keys(asOf.data?.statuses[FIRST_KIND.id] ?? {}).map((each) => [each, each] as const)}
          onChange={(to) => change({ status: to, first: null })}
        />
      </form>
      {at === null && <Empty>Choose a time to see the status of every account as recorded then.</Empty>}
      {at !== null && (
        <Loaded resource={asOf} what="The state at that time">
          {(found) => <Standings found={found} first={first} onPage={(from) => change({ first: from })} />}
        </Loaded>
      )}
    </section>
  );
}

function countsText(counts: Readonly<Partial<Record<string, number>>>): string {
  const given = Object.entries(counts).filter(([, n = 0]) => n > 0);
  return given.map(([status, n = 0]) => `${number(n)} ${status}`).join(', ') || 'no accounts';
}

interface StandingsProps {
  readonly found: AsOf;
  /** The number of rows on earlier pages. */
  readonly first: number;
  readonly onPage: (first: string | null) => void;
}

function Standings({ found, first, onPage }: StandingsProps) {
  const { accounts, pruned, at, future, statuses, total, next } = found;
  const known = Object.values(statuses).some((counts) => Object.values(counts).some((n) => n > 0));
  if (!known) return <Empty>Nothing was recorded before that time.</Empty>;
  if (accounts.length === 0) return <Empty>No account had this status at that time.</Empty>;
  return (
    <>
      <p role="status">
        <Time iso={at} />:{' '}
        {kindsShownIn(statuses)
          .map(({ id, title }) => `${title} ${countsText(statuses[id])}`)
          .join('; ')}
        {future && '; this time is in the future, so the latest recorded state is shown'}
        {pruned.length > 0 && `; the entries of ${count(pruned.length, 'account')} have been pruned`}
      </p>
      <DataTable
        label="Status at that time"
        rows={accounts}
        keyOf={({ accountId, enrollment }) => `${accountId} ${enrollment}`}
        columns={[
          ['Account', ({ accountId }) => <Link href={`/account?id=${accountId}`}>{accountId}</Link>],
          ['Enrollment', ({ enrollment }) => TITLES[enrollment]],
          ['Status', ({ status, message }) => <StatusMark status={status} message={message} />],
          ['Observed', ({ observed, observedRuleMode }) => stateText(observed, observedRuleMode)],
          ['Desired', ({ desired, desiredRuleMode }) => stateText(desired, desiredRuleMode)],
          ['Since', ({ since }) => <Time iso={since} />],
        ]}
      />
      {accounts.length < total && (
        <div class="actions">
          <span class="muted">
            {number(first + 1)} to {number(first + accounts.length)} of {number(total)}
          </span>
          {first > 0 && <Button onClick={() => onPage(null)}>First page</Button>}
          {next !== null && <Button onClick={() => onPage(next)}>Next page</Button>}
        </div>
      )}
    </>
  );
}
