import { actorName } from '../../../../shared/domain/actor.ts';
import { ENROLLMENT_IDS, type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { entryTitle } from '../../../../shared/domain/ledger/entry-titles.ts';
import type { AuditFilter } from '../endpoints.ts';
import { fieldOf, isoOf } from '../local-time.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { now } from '../parts/time.tsx';
import type { Resource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import { timeText } from '../time-text.ts';
import type { AuditSummary } from '../types.ts';
import { callerName, number } from '../words.ts';

export const FIELDS = ['account', 'enrollment', 'type', 'run', 'actor', 'changedBy'] as const;
type Field = (typeof FIELDS)[number];
/** Every parameter of the page's address, without a value. */
export const NOTHING = Object.fromEntries(
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
const LENGTHS: Readonly<Record<string, number>> = {
  '1h': HOUR_MS,
  '24h': 24 * HOUR_MS,
  '7d': 168 * HOUR_MS,
  '30d': 720 * HOUR_MS,
};

/** An address with a start or an end, such as a link from elsewhere, selects exactly that period. */
export function periodOf(params: URLSearchParams): string {
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

export function filterOf(params: URLSearchParams): AuditFilter {
  return { ...Object.fromEntries(FIELDS.map((name) => [name, params.get(name)])), ...rangeOf(params) };
}

/** The filters as chips. Each offers the values that occur under the other filters, and applies immediately. */
export function Filters({ summary }: { readonly summary: Resource<AuditSummary> }) {
  const [params, change] = useParams();
  const period = periodOf(params);
  const value = (name: Field): string => params.get(name) ?? '';
  const { types = [], actors = [], callers = [], enrollments = [], runs = [] } = summary.data ?? {};
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
      {chip(
        'type',
        'Type',
        types.map(({ type, entries }) => [type, `${entryTitle(type)} (${number(entries)})`]),
        '',
      )}
      {chip(
        'actor',
        'Actor',
        actors.map(({ actor, entries }) => [actor, `${actorName(actor)} (${number(entries)})`]),
        '',
      )}
      {chip(
        'changedBy',
        'Changed by',
        callers.map(({ caller, entries }) => [caller, `${callerName(caller)} (${number(entries)})`]),
        callerName(value('changedBy')),
      )}
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
  period === 'custom'
    ? { since: fieldOf(new Date(now.value - 24 * HOUR_MS)), until: fieldOf(new Date(now.value)) }
    : {};

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
