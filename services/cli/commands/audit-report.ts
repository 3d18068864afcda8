import type { Report } from '../../../shared/app/queries/audit/report.ts';
import { countArgument, durationArgument, instantArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { type EnrollmentId, kindsInUse } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { type Column, table } from '../ui/table.ts';
import { count, duration, instant, second } from '../ui/words.ts';
import { assertRange } from './audit-filter.ts';

export interface ReportFlags {
  readonly since: string;
  readonly until?: string;
  readonly interval?: string;
  readonly top: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export async function runReport(context: CliContext, flags: ReportFlags): Promise<number> {
  const { output, clock } = context;
  const now = clock.now();
  const since = instantArgument('--since', flags.since, now);
  const until = flags.until === undefined ? new Date(now).toISOString() : instantArgument('--until', flags.until, now);
  assertRange(since, until);
  const short = Date.parse(until) - Date.parse(since) <= 2 * DAY_MS;
  const intervalMs = durationArgument('--interval', flags.interval ?? (short ? '1h' : '1d'));
  const top = countArgument('--top', flags.top, { min: 1, max: 1_000 });
  const { auditReport, ReportRangeError } = await import('../../../shared/app/queries/audit/report.ts');
  try {
    const report = await withStore(context, true, (store) => auditReport(store, { since, until, intervalMs, top }));
    output.result(report, () => reportText(report, intervalMs, output.width));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ReportRangeError)) throw error;
    throw new ConfigError('Usage', `--interval ${duration(intervalMs)}: ${error.message}.`);
  }
}

type Compliance = Report['now']['compliance'][EnrollmentId];

const percentText = ({ percent, compliant, managed }: Compliance): string =>
  percent === null ? '–' : `${percent.toFixed(1)}% (${compliant}/${managed})`;
const spanText = (ms: number | null): string => (ms === null ? '–' : duration(ms));

function reportText(report: Report, intervalMs: number, width: number | null): string[] {
  const { since, until, now, drifts, points, topDrifters, topReasons, byOu, byRule, pruned } = report;
  const { openDrifts, compliance } = now;
  const { timeToResolve } = drifts;
  // Points less than a minute apart would have the same time to the minute.
  const timeOf = (at: string): string => (intervalMs % MINUTE_MS === 0 ? instant(at) : `${second(at)} UTC`);
  const kinds = kindsInUse((id) => [now, ...points].some((each) => each.compliance[id].managed > 0));
  const right = (title: string) => ({ title, align: 'right' as const });
  const named = (title: string) => ({ title, shrinks: true });
  // Nothing is known about times before the first scan.
  const first = points.findIndex((point) => kinds.some(({ id }) => point.compliance[id].managed > 0));
  const known = first === -1 ? [] : points.slice(first);
  const section = (columns: readonly Column[], rows: readonly string[][]): string[] =>
    rows.length === 0 ? [] : ['', ...table(columns, rows, width)];
  return [
    `From ${timeOf(since)} to ${timeOf(until)}`,
    `Compliant at the end: ${kinds.map(({ id, title }) => `${title} ${percentText(compliance[id])}`).join(', ')}`,
    `Open drifts: ${openDrifts.count}; median age ${spanText(openDrifts.medianMs)}, oldest ${spanText(openDrifts.maxMs)}`,
    `Detected ${drifts.detected}, resolved ${drifts.resolved}; time to resolve: mean ${spanText(timeToResolve.meanMs)}, median ${spanText(timeToResolve.medianMs)}, 95% within ${spanText(timeToResolve.p95Ms)}`,
    ...(pruned === 0
      ? []
      : [`Left out, because entries from the start of this period have been pruned: ${count(pruned, 'account')}`]),
    ...section(
      [
        { title: 'AT' },
        ...kinds.map(({ title }) => right(title.toUpperCase())),
        right('OPEN'),
        right('DETECTED'),
        right('RESOLVED'),
      ],
      known.map((point) => [
        timeOf(point.at),
        ...kinds.map(({ id }) => percentText(point.compliance[id])),
        ...[point.openDrifts, point.detected, point.resolved].map(String),
      ]),
    ),
    ...section(
      [named('OU'), right('COMPLIANT'), right('OPEN')],
      byOu.map((each) => [each.ou ?? '(not in the last snapshot)', percentText(each), String(each.openDrifts)]),
    ),
    ...section(
      [named('RULE'), right('COMPLIANT'), right('OPEN')],
      byRule.map((each) => [each.rule ?? '(not recorded)', percentText(each), String(each.openDrifts)]),
    ),
    ...section(
      [{ title: 'ACCOUNT' }, named('NAME'), right('DRIFTS')],
      topDrifters.map(({ accountId, name, drifts: n }) => [accountId, name ?? '', String(n)]),
    ),
    ...section(
      [{ title: 'STATUS' }, named('REASON'), right('ENROLLMENTS')],
      topReasons.map(({ status, message, enrollments }) => [status, message ?? '', String(enrollments)]),
    ),
  ];
}
