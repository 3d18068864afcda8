import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { INSTRUMENTS } from '../../shared/app/queries/instruments/catalogue.ts';
import { sampleName } from '../../shared/domain/open-metrics.ts';
import { ALARMED, METRICS } from '../../shared/ports/metrics.ts';
import { code, table } from './markdown.ts';

const root = new URL('../../', import.meta.url);

/** The part of an alarm's template that the page shows. */
const Metric = z.looseObject({ MetricStat: z.looseObject({ Period: z.number() }).optional() });
const Alarm = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  MetricName: z.string().optional(),
  Threshold: z.number(),
  Period: z.number().optional(),
  EvaluationPeriods: z.number(),
  Metrics: z.array(Metric).optional(),
});
const Template = z.object({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
});

/** Every metric: what it counts is the comment above it in the source. */
export function metricTable(): string {
  const comments = commentsOf(readFileSync(new URL('shared/ports/metrics.ts', root), 'utf8'));
  const alarmed = new Map(
    Object.entries(ALARMED).flatMap(([service, names]) => names.map((name) => [`${name}`, service])),
  );
  return table(
    ['metric', 'unit', 'counts', 'in an alarm of'],
    Object.entries(METRICS).map(([name, unit]) => [
      code(name),
      unit,
      comments.get(name) ?? '',
      alarmed.get(name) ?? '',
    ]),
  ).join('\n');
}

/** The comment above each metric; a metric without one shares the comment of the one before it. */
function commentsOf(source: string): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  let comment = '';
  for (const line of source.split('\n')) {
    comment = /^ {2}\/\*\* (.+) \*\/$/.exec(line)?.[1] ?? comment;
    const name = /^ {2}(\w+): '/.exec(line)?.[1];
    if (name !== undefined) comments.set(name, comment);
  }
  return comments;
}

/** Every metric of `/metrics`. */
export function instrumentTable(): string {
  const rows = Object.values(INSTRUMENTS).map(
    (each) => [code(sampleName(each)), each.type, each.labels.map(code).join(', '), each.help] as const,
  );
  return table(['metric', 'type', 'labels', 'meaning'], rows).join('\n');
}

/** Every alarm with the metric and the limit that begin it. */
export function alarmTable(): string {
  const { Resources } = Template.parse(
    parse(readFileSync(new URL('infra/alarms.yml', root), 'utf8'), { logLevel: 'silent' }),
  );
  const alarms = Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => Alarm.parse(Properties));
  return table(
    ['alarm', 'means', 'metric', 'above', 'for'],
    alarms.map((alarm) => [
      code(alarm.AlarmName.replace(/^rollcall-.*\}-/, '')),
      alarm.AlarmDescription.replace(/ \(.*\)$/, ''),
      code(alarm.MetricName ?? 'Throttles / Calls'),
      String(alarm.Threshold),
      `${((alarm.Period ?? periodOf(alarm.Metrics ?? [])) * alarm.EvaluationPeriods) / 60} min`,
    ]),
  ).join('\n');
}

function periodOf(metrics: readonly z.infer<typeof Metric>[]): number {
  return Math.max(0, ...metrics.map(({ MetricStat }) => MetricStat?.Period ?? 0));
}
