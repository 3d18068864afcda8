import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { type EnrollmentId, ENROLLMENT_IDS, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { actorName } from '../actor.ts';
import { get } from '../api.ts';
import { type AuditFilter, READ } from '../endpoints.ts';
import { entryTitle } from '../entry-line.ts';
import { changes, slowChanges } from '../live.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { AuditEntries } from '../parts/audit-entries.tsx';
import { AuditEntry } from '../parts/audit-entry.tsx';
import { ExportEntries, Integrity, VerifyNow } from '../parts/audit-proof.tsx';
import { AsOfStatus } from '../parts/as-of.tsx';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button, Segments } from '../parts/form.tsx';
import { Heading } from '../parts/heading.tsx';
import { Histogram } from '../parts/histogram.tsx';
import { Loaded } from '../parts/small.tsx';
import { now } from '../parts/time.tsx';
import { type Resource, useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import { timeText, zoneName } from '../time-text.ts';
import type { AuditPage as Page, AuditSummary, Verification } from '../types.ts';
import { count, number } from '../words.ts';

export function AuditPage() {
  const [params, change] = useParams();
  const asOf = params.get('view') === 'as-of' || params.has('at');
  const verification = useResource<Verification>(READ.verification, slowChanges.value);
  const filter = filterOf(params);
  const view = (
    <Segments
      label="View"
      value={asOf ? 'as-of' : 'entries'}
      options={[
        ['entries', 'Entries'],
        ['as-of', 'Status at a time'],
      ]}
      onChange={(to) => change({ ...NOTHING, view: to === 'as-of' ? to : null })}
    />
  );
  return (
    <>
      <Heading
        title="Audit log"
        beside={<Integrity verification={verification.data} look="pill" />}
        sub={<Integrity verification={verification.data} look="sentence" />}
        actions={
          <>
            <VerifyNow onDone={verification.reload} />
            <ExportEntries filter={filter} />
          </>
        }
      >
        Audit log
      </Heading>
      {asOf ? <AsOfStatus view={view} /> : <Entries filter={filter} view={view} />}
    </>
  );
}

const FIELDS = ['account', 'enrollment', 'type', 'run', 'actor'] as const;
type Field = (typeof FIELDS)[number];
/** Every parameter of the page's address, without a value. */
const NOTHING = Object.fromEntries(
  [...FIELDS, 'period', 'since', 'until', 'entry', 'at', 'status', 'first'].map((name) => [name, null]),
);

const HOUR_MS = 3_600_000;
const PERIODS = [
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['quarter', 'Last quarter'],
  ['all', 'All time'],
  ['custom', 'From … to …'],
] as const;
const LENGTHS: Readonly<Record<string, number>> = { '1h': HOUR_MS, '24h': 24 * HOUR_MS, '7d': 168 * HOUR_MS, '30d': 720 * HOUR_MS };

/** An address with a start or an end, such as a link from elsewhere, means just these. */
function periodOf(params: URLSearchParams): string {
  const given = params.get('period');
  if (given !== null) return given;
  return params.has('since') || params.has('until') ? 'custom' : '24h';
}

/** Start and end of the previous calendar quarter, UTC. */
function lastQuarter(at: Date): readonly [string, string] {
  const [year, quarter] = [at.getUTCFullYear(), Math.floor(at.getUTCMonth() / 3)];
  const start = (n: number): string => new Date(Date.UTC(year, n * 3, 1)).toISOString();
  return [start(quarter - 1), start(quarter)];
}

/** A relative period begins at a whole minute, so that its address, and with it the answer, does not change at every render. */
function rangeOf(params: URLSearchParams): Pick<AuditFilter, 'since' | 'until'> {
  const period = periodOf(params);
  if (period === 'custom') return { since: isoOf(params.get('since')), until: isoOf(params.get('until')) };
  if (period === 'quarter') {
    const [since, until] = lastQuarter(new Date(now.value));
    return { since, until };
  }
  const length = LENGTHS[period];
  if (length === undefined) return {};
  return { since: new Date(Math.floor((now.value - length) / 60_000) * 60_000).toISOString() };
}

function filterOf(params: URLSearchParams): AuditFilter {
  return { ...Object.fromEntries(FIELDS.map((name) => [name, params.get(name)])), ...rangeOf(params) };
}

interface EntriesProps {
  readonly filter: AuditFilter;
  readonly view: preact.ComponentChildren;
}

function Entries({ filter, view }: EntriesProps) {
  const [params, change] = useParams();
  const summary = useResource<AuditSummary>(READ.auditSummary(filter), slowChanges.value);
  const page = useResource<Page>(READ.audit(filter), changes.value);
  const chosen = params.get('entry');
  const older = useOlder(filter, page.data);
  const rows = older.entries;
  const selected = chosen ?? rows[0]?.id ?? null;
  const isFiltered = FIELDS.some((name) => params.has(name)) || periodOf(params) !== '24h';
  return (
    <section class="panel" aria-label="Entries">
      <div class="tools filters">
        {view}
        <Filters summary={summary} />
        {isFiltered && (
          <Button look="quiet" onClick={() => change(NOTHING)}>
            Clear filters
          </Button>
        )}
        <span class="right muted" role="status">
          {summary.data !== null && `${totalText(summary.data)}, newest first, ${zoneName()}`}
        </span>
      </div>
      <div class="md">
        <div>
          {summary.data !== null && summary.data.total > 0 && (
            <Histogram {...summary.data} one="entry" many="entries" />
          )}
          <Loaded resource={page} what="The audit log">
            {() =>
              rows.length === 0 ? (
                <NoEntries onClear={() => change({ ...NOTHING, period: 'all' })} />
              ) : (
                <AuditEntries
                  entries={rows}
                  names={older.names}
                  selected={selected}
                  onSelect={(id) => change({ entry: id })}
                />
              )
            }
          </Loaded>
        </div>
        {selected !== null && <AuditEntry id={selected} names={older.names} chosen={chosen !== null} />}
      </div>
      {rows.length > 0 && (
        <div class="table-foot">
          <span>
            Rows 1–{number(rows.length)}
            {summary.data !== null && ` of ${totalText(summary.data).replace(/ entr.*$/, '')}`}
          </span>
          {older.next !== null && (
            <Button look="tiny" onClick={older.more}>
              Older entries
            </Button>
          )}
          <span class="right drop-s">Choose a row to see the whole entry and its place in the chain</span>
        </div>
      )}
    </section>
  );
}

const totalText = ({ total, complete }: AuditSummary): string =>
  complete ? count(total, 'entry', 'entries') : `more than ${count(total, 'entry', 'entries')}`;

function NoEntries({ onClear }: { readonly onClear: () => void }) {
  return (
    <div class="message">
      <p>
        <b class="strong">No entries match these filters.</b> A longer period or fewer filters show more.
      </p>
      <span class="actions">
        <Button onClick={onClear}>Show all entries</Button>
      </span>
    </div>
  );
}

/** The first page, which is read again after each change, and the older pages that the reader asked for. */
function useOlder(filter: AuditFilter, first: Page | null) {
  const key = READ.audit({ ...filter, since: null });
  const [older, setOlder] = useState<{ readonly key: string; readonly pages: readonly Page[] }>({ key, pages: [] });
  const pages = older.key === key ? older.pages : [];
  useEffect(() => setOlder((known) => (known.key === key ? known : { key, pages: [] })), [key]);
  const known = new Set(first?.entries.map(({ id }) => id));
  const more = pages.flatMap(({ entries }) => entries.filter(({ id }) => !known.has(id)));
  const next = (pages.at(-1) ?? first)?.next ?? null;
  return {
    entries: [...(first?.entries ?? []), ...more],
    names: Object.assign({}, first?.names, ...pages.map(({ names }) => names)) as Readonly<Record<string, string>>,
    next,
    more: async () => {
      if (next === null) return;
      const page = await get<Page>(READ.audit(filter, next));
      setOlder({ key, pages: [...pages, page] });
    },
  };
}

/** The filters as chips. Each offers the values that occur under the other filters, and applies immediately. */
function Filters({ summary }: { readonly summary: Resource<AuditSummary> }) {
  const [params, change] = useParams();
  const period = periodOf(params);
  const value = (name: Field): string => params.get(name) ?? '';
  const { types = [], actors = [], enrollments = [], runs = [] } = summary.data ?? {};
  const chip = (name: Field, label: string, options: readonly (readonly [string, string])[], name2: string) => (
    <FilterChip
      label={label}
      value={value(name)}
      options={withChosen(value(name), options, name2)}
      onChange={(to) => change({ [name]: to, entry: null })}
    />
  );
  return (
    <>
      <FilterChip
        label="Period"
        value={period}
        options={PERIODS}
        required
        onChange={(to) => change({ ...NOTHING, ...kept(params), period: to === '24h' ? null : to, ...rangeFor(to) })}
      />
      {period === 'custom' && <Range />}
      <label class={value('account') === '' ? 'chip' : 'chip on'}>
        <span class="sr">Account id</span>
        <input
          type="search"
          class="plain-input"
          placeholder="Account id"
          inputMode="numeric"
          value={value('account')}
          onInput={(event) => {
            const text = event.currentTarget.value.trim();
            if (text === '' || /^\d{12}$/.test(text)) change({ account: text, entry: null });
          }}
        />
      </label>
      {chip('type', 'Type', types.map(({ type, entries }) => [type, `${entryTitle({ type })} (${number(entries)})`]), '')}
      {chip('actor', 'Actor', actors.map(({ actor, entries }) => [actor, `${actorName(actor)} (${number(entries)})`]), '')}
      {chip(
        'enrollment',
        'Enrollment',
        enrollments.map(({ enrollment, entries }) => [enrollment, `${TITLES[enrollment]} (${number(entries)})`]),
        titleOf(value('enrollment')),
      )}
      {chip(
        'run',
        'Run',
        runs.map(({ runId, at, entries }) => [runId, `${timeText(Date.parse(at), now.value)} (${number(entries)})`]),
        `Run …${value('run').slice(-6)}`,
      )}
    </>
  );
}

const kept = (params: URLSearchParams) => Object.fromEntries(FIELDS.map((name) => [name, params.get(name)]));
const rangeFor = (period: string): Record<string, string> =>
  period === 'custom' ? { since: fieldOf(new Date(now.value - 24 * HOUR_MS)), until: fieldOf(new Date(now.value)) } : {};

function titleOf(id: string): string {
  const known: EnrollmentId | undefined = ENROLLMENT_IDS.find((each) => each === id);
  return known === undefined ? id : TITLES[known];
}

/** The chosen value stays in the list even if no entry has it now. */
function withChosen(
  value: string,
  options: readonly (readonly [string, string])[],
  name: string,
): readonly (readonly [string, string])[] {
  if (value === '' || options.some(([each]) => each === value)) return options;
  return [[value, name === '' ? actorName(value) : name], ...options];
}

function Range() {
  const [params, change] = useParams();
  const field = (name: 'since' | 'until', label: string) => (
    <label class="chip on">
      {label}
      <input
        type="datetime-local"
        class="plain-input"
        value={params.get(name) ?? ''}
        onChange={(event) => change({ [name]: event.currentTarget.value, entry: null })}
      />
    </label>
  );
  return (
    <>
      {field('since', 'From')}
      {field('until', 'Until')}
    </>
  );
}

/** The link to the entries of one run, account or actor. */
export function AuditLink({ filter, text }: { readonly filter: Readonly<Record<string, string>>; readonly text: string }) {
  return <Link href={`/audit?${new URLSearchParams({ ...filter, period: 'all' })}`}>{text}</Link>;
}
