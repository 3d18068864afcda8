import { useMemo } from 'preact/hooks';
import { actorName } from '../../../../shared/domain/actor.ts';
import {
  ENROLLMENT_IDS,
  type EnrollmentId,
  type kindsInUse,
} from '../../../../shared/domain/enrollment/kinds/index.ts';
import { kindsShownIn } from '../../../../shared/domain/enrollment/status.ts';
import { titleInSentence } from '../../../../shared/domain/ledger/entry-titles.ts';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { slowChanges } from '../live.ts';
import { Segments } from '../parts/form.tsx';
import { LineChart, type Marker } from '../parts/line-chart.tsx';
import { Empty, Loaded } from '../parts/small.tsx';
import { DataTable } from '../parts/table.tsx';
import { percentScale } from '../parts/ticks.ts';
import { Time } from '../parts/time.tsx';
import { useLoaded, useResource } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { Markers, Report, Status } from '../types.ts';
import { count, duration, listed, number, percent } from '../words.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Span {
  readonly ms: number;
  /** Time between two points, as the API takes it; about 100 points fit in the chart. */
  readonly interval: string;
}

/** The periods to choose from. */
const SPANS = {
  day: { title: '24 h', ms: DAY, interval: '15m' },
  week: { title: '7 d', ms: 7 * DAY, interval: '2h' },
  fortnight: { title: '14 d', ms: 14 * DAY, interval: '3h' },
  quarter: { title: '90 d', ms: 90 * DAY, interval: '1d' },
} as const;
type SpanName = keyof typeof SPANS;
const NAMES: readonly SpanName[] = ['day', 'week', 'fortnight', 'quarter'];
const CHOICES = NAMES.map((name) => [name, SPANS[name].title] as const);
const DEFAULT: SpanName = 'fortnight';
/** Shorter periods for a Rollcall that started only minutes or hours ago, so that its first run is more than one dot. */
const FINER: readonly Span[] = [SPANS.day, { ms: 60 * MINUTE, interval: '30s' }, { ms: 5 * MINUTE, interval: '2s' }];

/** Compliance over time. The last point is the headline of the cards: it comes from the same answer. */
export function History({ status }: { readonly status: Status }) {
  const [params, change] = useParams();
  const span = NAMES.find((each) => each === params.get('span')) ?? DEFAULT;
  const report = useLoaded<Report>(`report ${span}`, slowChanges.value, (abort) => readReport(SPANS[span], abort));
  const choose = (to: SpanName): void => change({ span: to === DEFAULT ? null : to });
  return (
    <section class="panel a-trend" aria-labelledby="trend">
      <header>
        <h2 id="trend">Compliance</h2>
        <span class="sub">Share of managed accounts{report.data !== null && axisText(report.data, status)}</span>
        <span class="right">
          <Segments label="Period" value={span} options={CHOICES} onChange={choose} />
        </span>
      </header>
      <Loaded resource={report} what="The report">
        {(found) => <Points report={found} status={status} />}
      </Loaded>
    </section>
  );
}

/** The report of a period, or of a shorter one that still contains everything that was recorded. */
async function readReport(span: Span, abort: AbortSignal): Promise<Report> {
  const now = Date.now();
  const read = ({ ms, interval }: Span): Promise<Report> =>
    get(READ.report(startOf(now, ms), new Date(now).toISOString(), interval), abort);
  let found = await read(span);
  for (const finer of FINER) {
    const first = found.points.find(isManaged);
    if (finer.ms >= span.ms || first === undefined || now - Date.parse(first.at) > finer.ms) continue;
    found = await read(finer);
  }
  return found;
}

/**
 * The start of the last `ms`, ISO 8601. It changes only every twelfth of that time, because the API can continue an earlier report with the same
 * start, which costs a fraction of a new one.
 */
function startOf(now: number, ms: number): string {
  const step = ms / 12;
  return new Date(Math.floor((now - ms) / step) * step).toISOString();
}

type Point = Report['points'][number];

const isManaged = ({ compliance }: Point): boolean => ENROLLMENT_IDS.some((id) => compliance[id].managed > 0);

/** The points since the first data, and the present state as the cards show it in place of the last one. */
function pointsOf(
  { points, until }: Report,
  status: Status,
): readonly Pick<Point, 'at' | 'compliance' | 'openDrifts'>[] {
  const first = points.findIndex(isManaged);
  const known = first === -1 ? [] : points.slice(first);
  const now = { at: until, compliance: status.compliance, openDrifts: status.openDrift.enrollments };
  return [...known.filter(({ at }) => at < until), now];
}

function shownKinds(status: Status) {
  return kindsShownIn(status.statuses);
}

function axisText(report: Report, status: Status): string {
  const points = pointsOf(report, status);
  const values = shownKinds(status).flatMap(({ id }) => points.flatMap((each) => each.compliance[id].percent ?? []));
  const { low } = percentScale(values);
  return low === 0 ? '' : `; axis starts at ${low}%`;
}

function Points({ report, status }: { readonly report: Report; readonly status: Status }) {
  const points = useMemo(() => pointsOf(report, status), [report, status]);
  const at = useMemo(() => points.map((point) => Date.parse(point.at)), [points]);
  const kinds = shownKinds(status);
  const series = kinds.map(({ id, title }) => {
    const { percent: share, compliant, managed } = status.compliance[id];
    const last = `${percent(share)}, ${number(compliant)} of ${number(managed)}`;
    return { name: title, last, values: points.map(({ compliance }) => compliance[id].percent) };
  });
  const { drifts } = report;
  const { data } = useResource<Markers>(READ.markers(points[0]?.at ?? report.since), slowChanges.value);
  const events = eventsOf(data?.events ?? [], at);
  if (kinds.length === 0) return <Empty>Nothing was recorded in this period.</Empty>;
  return (
    <>
      <div class="body">
        <LineChart label={summaryOf(kinds, points)} at={at} series={series} markers={events} />
        {events.length > 0 && (
          <p class="events-key">
            {events.map(({ letter, text, at: when }) => (
              <span key={letter}>
                <b>{letter}</b>
                <Time iso={new Date(when).toISOString()} />: {text}
              </span>
            ))}
          </p>
        )}
      </div>
      <footer>
        <details>
          <summary>
            <span>
              {count(drifts.detected, 'drift')} detected, {number(drifts.resolved)} resolved
              {drifts.timeToResolve.medianMs !== null &&
                `. Median time to resolve ${duration(drifts.timeToResolve.medianMs)}`}
              .
            </span>{' '}
            <span class="link">Show as table</span>
          </summary>
          <DataTable
            label="Compliance over time, as a table"
            rows={points}
            keyOf={(point) => point.at}
            columns={[
              ['Time', (point) => <Time iso={point.at} seconds />],
              ...kinds.map(({ id, title }) => pointColumn(id, title)),
              ['Open drift', (point) => number(point.openDrifts)],
            ]}
          />
        </details>
      </footer>
    </>
  );
}

const pointColumn = (id: EnrollmentId, title: string) =>
  [title, ({ compliance }: Pick<Point, 'compliance'>) => percent(compliance[id].percent)] as const;

function summaryOf(kinds: ReturnType<typeof kindsInUse>, points: readonly Pick<Point, 'compliance'>[]): string {
  const words = kinds.map(({ id, title }) => {
    const [first, last] = [points[0]?.compliance[id].percent ?? null, points.at(-1)?.compliance[id].percent ?? null];
    if (first === null || last === null || first === last) return `${title} is at ${percent(last)}`;
    return `${title} ${first < last ? 'rises' : 'falls'} from ${percent(first)} to ${percent(last)}`;
  });
  return `Compliance over time: ${listed(words)}.`;
}

type Event = Markers['events'][number];
/** More letters than this would overlap. */
const MOST_EVENTS = 6;

/** The newest events of the period as markers with letters. A halt and its end are one marker. */
function eventsOf(events: readonly Event[], at: readonly number[]): readonly (Marker & { readonly text: string })[] {
  const [from = 0, to = 0] = [at[0], at.at(-1)];
  const inside = events.filter((each) => Date.parse(each.at) >= from && each.type !== 'EnforcementResumed');
  return inside
    .slice(0, MOST_EVENTS)
    .reverse()
    .map((event, index) => {
      const begun = Date.parse(event.at);
      const letter = String.fromCharCode(65 + index);
      if (event.type !== 'EnforcementHalted') return { at: begun, letter, text: eventText(event) };
      const end = events.findLast((each) => each.type === 'EnforcementResumed' && each.at >= event.at);
      const until = end === undefined ? to : Date.parse(end.at);
      const length = end === undefined ? 'halted' : `halted for ${duration(until - begun)}`;
      return { at: begun, letter, until, text: `${length} by ${actorName(event.actor)}` };
    });
}

function eventText({ type, actor }: Event): string {
  const by = type === 'PlanApproved' || type === 'PolicyChanged' ? ` by ${actorName(actor)}` : '';
  return `${titleInSentence(type)}${by}`;
}
