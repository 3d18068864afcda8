import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn, STATUSES } from '../../../../shared/domain/enrollment/status.ts';
import { READ } from '../endpoints.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import { looksOf } from '../status-looks.ts';
import { exactText } from '../time-text.ts';
import type { AsOf } from '../types.ts';
import { count, number, stateText } from '../words.ts';
import { FilterChip } from './filter-chip.tsx';
import { Button } from './form.tsx';
import { Mark, StatusMark } from './icon.tsx';
import { Loaded } from './small.tsx';
import { now, Time } from './time.tsx';

/** The status of every account at a time, now if none is chosen. */
export function AsOfStatus({ view }: { readonly view: ComponentChildren }) {
  const [params, change] = useParams();
  const given = params.get('at');
  // A whole minute, so that the answer is read again once a minute and not at every render.
  const present = new Date(Math.floor(now.value / 60_000) * 60_000);
  const at = isoOf(given) ?? present.toISOString();
  const [first, status] = [Math.max(0, Number(params.get('first')) || 0), params.get('status')];
  const asOf = useResource<AsOf>(READ.asOf(at, status, first));
  return (
    <section class="panel" aria-label="Status at a time">
      <div class="tools filters">
        {view}
        <label class="chip on">
          At
          <input
            type="datetime-local"
            class="plain-input"
            value={given ?? fieldOf(present)}
            max={fieldOf(new Date())}
            onChange={(event) => change({ at: event.currentTarget.value, view: 'as-of', first: null })}
          />
        </label>
        {given !== null && (
          <Button look="quiet" onClick={() => change({ at: null, view: 'as-of', first: null })}>
            Now
          </Button>
        )}
        <FilterChip
          label="Status"
          value={status ?? ''}
          options={STATUSES.map((each) => [each, each] as const)}
          onChange={(to) => change({ status: to, first: null })}
        />
        <span class="right muted" role="status">
          {asOf.data !== null && `${count(asOf.data.total, 'enrollment')}, as recorded at ${exactText(Date.parse(at))}`}
        </span>
      </div>
      <Loaded resource={asOf} what="The status at that time">
        {(found) => <Standings found={found} first={first} onPage={(from) => change({ first: from })} />}
      </Loaded>
    </section>
  );
}

interface StandingsProps {
  readonly found: AsOf;
  /** The number of rows on earlier pages. */
  readonly first: number;
  readonly onPage: (first: string | null) => void;
}

function Message({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="message">
      <p>
        <b class="strong">{children}</b>
      </p>
    </div>
  );
}

function Standings({ found, first, onPage }: StandingsProps) {
  const { accounts, pruned, future, statuses, total, next } = found;
  const isKnown = Object.values(statuses).some((counts) => Object.values(counts).some((n) => n > 0));
  if (!isKnown) return <Message>Nothing was recorded before that time.</Message>;
  return (
    <>
      <div class="body counts-at">
        <Totals statuses={statuses} />
        {future && <p class="muted">This time is in the future: the latest recorded status is shown.</p>}
        {pruned.length > 0 && (
          <p class="muted">Left out: {count(pruned.length, 'account')} whose entries of that time have been pruned.</p>
        )}
      </div>
      {accounts.length === 0 ? (
        <Message>No account had this status at that time.</Message>
      ) : (
        <Rows accounts={accounts} />
      )}
      <div class="table-foot">
        <span>
          Rows {number(Math.min(total, first + 1))}–{number(first + accounts.length)} of {number(total)}
        </span>
        {first > 0 && (
          <Button look="tiny" onClick={() => onPage(null)}>
            First page
          </Button>
        )}
        {next !== null && (
          <Button look="tiny" onClick={() => onPage(next)}>
            Next page
          </Button>
        )}
      </div>
    </>
  );
}

/** The counts of each kind, in one line. */
function Totals({ statuses }: Pick<AsOf, 'statuses'>) {
  return (
    <table class="mini at-time">
      <tbody>
        {kindsShownIn(statuses).map(({ id, title }) => (
          <tr key={id}>
            <th scope="row">{title}</th>
            <td class="legend">
              {STATUSES.flatMap((status) => {
                const n = statuses[id][status] ?? 0;
                const { mark, tone } = looksOf(status);
                return n === 0
                  ? []
                  : [
                      <span key={status} class={`st c-${tone}`}>
                        <Mark name={mark} />
                        {number(n)} {status}
                      </span>,
                    ];
              })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Rows({ accounts }: Pick<AsOf, 'accounts'>) {
  return (
    <table class="grid cards as-of two-lines" aria-label="Status at that time">
      <colgroup>
        <col class="w-ou" />
        <col class="w-kind" />
        <col class="w-status" />
        <col class="w-kind drop-t drop-s" />
        <col class="w-kind drop-w drop-s" />
        <col />
        <col class="w-time" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Account</th>
          <th scope="col">Enrollment</th>
          <th scope="col">Status</th>
          <th scope="col" class="drop-t drop-s">
            Observed
          </th>
          <th scope="col" class="drop-w drop-s">
            Desired
          </th>
          <th scope="col">Reason</th>
          <th scope="col" class="num">
            Since
          </th>
        </tr>
      </thead>
      <tbody>
        {accounts.map((each) => (
          <tr key={`${each.accountId} ${each.enrollment}`}>
            <th scope="row">
              <Link href={`/account?id=${each.accountId}`} class="mono">
                {each.accountId}
              </Link>
            </th>
            <td class="kind">{TITLES[each.enrollment]}</td>
            <td class="outcome">
              <StatusMark status={each.status} />
            </td>
            <td class="drop-t drop-s">{stateText(each.observed, each.observedRuleMode)}</td>
            <td class="drop-w drop-s">{stateText(each.desired, each.desiredRuleMode)}</td>
            <td class="why" title={each.message ?? ''}>
              {each.message}
            </td>
            <td class="num muted clock">
              <Time iso={each.since} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
