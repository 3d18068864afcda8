import { useMemo } from 'preact/hooks';
import { ENROLLMENT_IDS, type EnrollmentId, kindsInUse } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { get } from '../api.ts';
import { READ } from '../endpoints.ts';
import { slowChanges } from '../live.ts';
import { useLoaded } from '../resource.ts';
import { useParams } from '../search-params.ts';
import type { Report } from '../types.ts';
import { count, duration, number, percent } from '../words.ts';
import { Chart } from './chart.tsx';
import { Empty, Loaded, Time } from './small.tsx';
import { DataTable } from './table.tsx';

/** The periods to choose from. Each interval yields about 100 points, which fit in the chart. */
const HOUR = { label: 'Last hour', ms: 3_600_000, interval: '30s' };
const SPANS: Readonly<Record<string, typeof HOUR>> = {
  hour: HOUR,
  day: { label: 'Last day', ms: 86_400_000, interval: '30m' },
  month: { label: 'Last 30 days', ms: 30 * 86_400_000, interval: '12h' },
  quarter: { label: 'Last 90 days', ms: 90 * 86_400_000, interval: '1d' },
};

/** Compliance over time, as a chart and a table. */
export function History() {
  const [params, change] = useParams();
  const name = params.get('span') ?? 'hour';
  const { label, ms, interval } = SPANS[name] ?? HOUR;
  const report = useLoaded<Report>(`report ${name}`, slowChanges.value, (abort) => readReport(ms, interval, abort));
  return (
    <section class="card" aria-labelledby="history">
      <div class="heading">
        <h2 id="history">Compliance over time</h2>
        <label>
          <span class="hidden">Period</span>
          <select class="narrow" value={name} onChange={(event) => change({ span: event.currentTarget.value })}>
            {Object.entries(SPANS).map(([value, span]) => (
              <option key={value} value={value}>
                {span.label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Loaded resource={report} what="The report">
        {(found) => <Points report={found} label={label} />}
      </Loaded>
    </section>
  );
}

/** The period and interval of the report if Rollcall started only minutes ago. */
const FINE = { ms: 5 * 60_000, interval: '2s' };

/** A report of the last `ms`. If Rollcall has only just started, the steps are finer, so that its first run is more than one dot. */
async function readReport(ms: number, interval: string, abort: AbortSignal): Promise<Report> {
  const now = Date.now();
  const read = (span: number, every: string): Promise<Report> =>
    get(READ.report(startOf(now, span), new Date(now).toISOString(), every), abort);
  const found = await read(ms, interval);
  const first = found.points.find(managed);
  const justStarted = first !== undefined && now - Date.parse(first.at) < FINE.ms;
  return justStarted && ms <= HOUR.ms ? read(FINE.ms, FINE.interval) : found;
}

/**
 * The start of the last `ms`, ISO 8601. It changes only every twelfth of that time, because the API can continue an earlier report with the same
 * start, which costs a fraction of a new one.
 */
function startOf(now: number, ms: number): string {
  const step = ms / 12;
  return new Date(Math.floor((now - ms) / step) * step).toISOString();
}

const managed = ({ compliance }: Report['points'][number]): boolean =>
  ENROLLMENT_IDS.some((id) => compliance[id].managed > 0);

/** Shows at least this many points. */
const MIN_POINTS = 4;

/** Leaves out the time before the first data, so that a new installation does not show an almost empty chart. */
function known(points: Report['points']): Report['points'] {
  const first = points.findIndex(managed);
  return first === -1 ? [] : points.slice(Math.max(0, Math.min(first, points.length - MIN_POINTS)));
}

const pointColumn = (id: EnrollmentId, title: string) =>
  [title, ({ compliance }: Report['points'][number]) => percent(compliance[id].percent)] as const;

function Points({ report, label }: { readonly report: Report; readonly label: string }) {
  const { drifts, now } = report;
  const points = useMemo(() => known(report.points), [report]);
  const at = useMemo(() => points.map((point) => Date.parse(point.at)), [points]);
  const kinds = useMemo(
    () => kindsInUse((id) => points.some(({ compliance }) => compliance[id].managed > 0)),
    [points],
  );
  const lines = useMemo(
    () =>
      kinds.map(({ id, title }, index) => ({
        label: title,
        // The first line is solid, and each further one has shorter dashes.
        ...(index === 0 ? { color: '--wait' } : { color: '--good', dash: [Math.max(8 - 2 * index, 1), 4] }),
        values: points.map(({ compliance }) => compliance[id].percent),
      })),
    [points, kinds],
  );
  const current = kinds.map(({ id, title }) => `${title} now ${percent(now.compliance[id].percent)}`);
  if (points.length === 0) return <Empty>Nothing was recorded in this period.</Empty>;
  return (
    <>
      <Chart
        label={`${label}: ${current.join(', ')}. The table below lists the values.`}
        at={at}
        lines={lines}
        unit="%"
        max={100}
      />
      <p class="muted">
        {count(drifts.detected, 'drift')} detected, {number(drifts.resolved)} resolved
        {drifts.timeToResolve.meanMs === null ? '' : `, in ${duration(drifts.timeToResolve.meanMs)} on average`};{' '}
        {number(now.openDrifts.count)} open.
      </p>
      <details>
        <summary>Show as table</summary>
        <DataTable
          label="Compliance over time, as a table"
          rows={points}
          keyOf={(point) => point.at}
          columns={[
            ['Time', (point) => <Time iso={point.at} />],
            ...kinds.map(({ id, title }) => pointColumn(id, title)),
            ['Open drifts', (point) => number(point.openDrifts)],
          ]}
        />
      </details>
    </>
  );
}
