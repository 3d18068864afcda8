import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { INSTRUMENTS } from '../../shared/app/queries/instruments/catalogue.ts';
import { sampleName } from '../../shared/domain/open-metrics.ts';
import { ended, json, place, rollcall, said, saidBy, start, world } from '../services/cli/support.ts';
import { type ReadMetrics, readOpenMetrics } from '../support/open-metrics.ts';
import { read } from './template.ts';

/** Labels that Prometheus adds to every sample of a target. */
const TARGET_LABELS = ['job', 'instance'];

const rule = z.strictObject({
  alert: z.string().regex(/^Rollcall[A-Za-z]+$/),
  expr: z.string(),
  for: z.string().regex(/^\d+[mh]$/),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), runbook_url: z.string() }),
});
const rules = z
  .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) })
  .parse(parse(read('infra/prometheus/alerts.yml')))
  .groups.flatMap((group) => group.rules);

const target = z.looseObject({ expr: z.string(), refId: z.string(), legendFormat: z.string() });
const panel = z.looseObject({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  datasource: z.object({ type: z.literal('prometheus'), uid: z.string().regex(/^\$\{datasource\}$/) }).optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(target).optional(),
});
const variable = z.looseObject({ name: z.string(), type: z.string(), definition: z.string().optional() });
const dashboard = z
  .looseObject({
    uid: z.string(),
    title: z.string(),
    schemaVersion: z.number(),
    panels: z.array(panel),
    templating: z.object({ list: z.array(variable) }),
  })
  .parse(JSON.parse(read('infra/grafana/rollcall.json')));

const EXPRESSIONS: readonly (readonly [where: string, text: string])[] = [
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, refId }) => [`panel ${title} ${refId}`, expr] as const),
  ),
  // Grafana's own function, which takes a metric and a label.
  ...dashboard.templating.list.flatMap(({ name, definition }) => {
    const [, metric = ''] = /^label_values\((\w+), \w+\)$/.exec(definition ?? '') ?? [];
    return definition === undefined ? [] : [[`variable ${name}`, metric] as const];
  }),
];

interface Used {
  readonly metrics: readonly string[];
  /** Labels in matchers and after `by`, `without`, `on` and `ignoring`. */
  readonly labels: readonly string[];
  readonly errors: number;
}

/** The names in an expression of PromQL. Grafana replaces its variables before Prometheus parses it. */
function usedBy(text: string): Used {
  const expression = text.replaceAll('$__rate_interval', '5m');
  const metrics: string[] = [];
  const labels: string[] = [];
  let errors = 0;
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to }) => {
      if (type.isError) errors += 1;
      if (name === 'Identifier') metrics.push(expression.slice(from, to));
      if (name === 'LabelName') labels.push(expression.slice(from, to));
    },
  });
  return { metrics, labels, errors };
}

/** Reports drift and changes nothing, so that scrape and status describe the same state. */
const REPORT = `version: 1
defaults: { computeOptimizer: Active, mode: alert }
`;

/** The metrics of a daemon that has scanned a simulated organization, and its status. */
async function served(): Promise<{ readonly text: string; readonly status: unknown }> {
  const { env } = await world();
  const cwd = place({ 'rollcall.yaml': REPORT });
  const child = start(['serve', '--port', '0'], { cwd, env });
  const end = ended(child);
  const url = saidBy(child, /API and dashboard at (\S+)/);
  await said(child, 'ended: ');
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = await (await fetch(new URL('/metrics', await url))).text();
  const status = json(await rollcall(['status', '--json'], { cwd, env }));
  child.kill('SIGTERM');
  await end;
  return { text, status };
}

const statusShape = z.looseObject({
  statuses: z.record(z.string(), z.record(z.string(), z.number())),
  openDrift: z.looseObject({ kinds: z.record(z.string(), z.looseObject({ enrollments: z.number() })) }),
  queue: z.looseObject({ dead: z.number() }),
});

describe('what rollcall serve answers to a scrape', () => {
  it('agrees with status --json, and has every metric', async () => {
    const { text, status } = await served();
    const metrics = readOpenMetrics(text);
    const { statuses, openDrift, queue } = statusShape.parse(status);
    for (const [kind, counts] of Object.entries(statuses))
      for (const [word, count] of Object.entries(counts))
        expect(metrics.value('rollcall_accounts', { kind, status: word }), `${kind} ${word}`).toBe(count);
    expect(Object.values(openDrift.kinds).some(({ enrollments }) => enrollments > 0)).toBe(true);
    for (const [kind, { enrollments }] of Object.entries(openDrift.kinds))
      expect(metrics.value('rollcall_open_drift', { kind })).toBe(enrollments);
    expect(metrics.value('rollcall_dead_letters')).toBe(queue.dead);
    expect(metrics.value('rollcall_aws_calls_total', { operation: 'ListAccounts' })).toBeGreaterThan(0);

    expectKnown(metrics);
  });
});

/** Every metric and label that the dashboard and the alert rules use is in the answer. */
function expectKnown({ families, samples }: ReadMetrics): void {
  const known = new Map(Object.values(INSTRUMENTS).map((each) => [sampleName(each), each]));
  for (const [where, text] of EXPRESSIONS) {
    const { metrics, labels } = usedBy(text);
    const available = new Set(TARGET_LABELS);
    for (const metric of metrics) {
      const instrument = known.get(metric);
      expect(instrument !== undefined && families.has(instrument.name), `${where}: ${metric}`).toBe(true);
      const seen = samples.filter(({ name }) => name === metric);
      for (const { labels: own } of seen) for (const label of Object.keys(own)) available.add(label);
    }
    expect(
      labels.filter((label) => !available.has(label)),
      where,
    ).toEqual([]);
  }
}

describe('the expressions', () => {
  it.each(EXPRESSIONS)('%s is PromQL', (_, text) => {
    expect(usedBy(text).errors, text).toBe(0);
    expect(usedBy(text).metrics.length).toBeGreaterThan(0);
  });

  it('are parsed in a way that notices faults', () => {
    expect(usedBy('sum by (kind (rate(a[5m]))').errors).toBeGreaterThan(0);
    expect(usedBy('max by (kind) (a{status="x"}) > b')).toEqual({
      metrics: ['a', 'b'],
      labels: ['kind', 'status'],
      errors: 0,
    });
  });

  it('filter by statuses and states that exist', () => {
    const values = EXPRESSIONS.flatMap(([, text]) => [...text.matchAll(/(status|state|problem)="([^"]+)"/g)]);
    expect(new Set(values.map(([, , value]) => value))).toEqual(
      new Set(['Compliant', 'Needs attention', 'Unknown', 'visible', 'refused']),
    );
  });
});

describe('the alert rules', () => {
  it('have different names, each with its section in the runbook', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const page = read('docs/how-to/prometheus.md');
    const sections = [...page.matchAll(/^### (Rollcall\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(names);
    for (const { alert, annotations } of rules)
      expect(annotations.runbook_url).toBe(`docs/how-to/prometheus.md#${alert.toLowerCase()}`);
  });
});

describe('the dashboard', () => {
  it('has panels with different ids that do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { gridPos: a, title }] of panels.entries())
      for (const { gridPos: b, title: other } of panels.slice(index + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, `${title} and ${other}`).toBe(true);
      }
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('answers in the order in which an operator asks', () => {
    expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Is the organization compliant?',
      'Where is drift?',
      'Is anything stopped or stuck?',
      'What does Rollcall do?',
      'Scans and audit log',
    ]);
  });

  it('shows every metric except the start of the process', () => {
    const used = new Set(EXPRESSIONS.flatMap(([, text]) => usedBy(text).metrics));
    const names = Object.values(INSTRUMENTS).map(sampleName);
    expect(names.filter((name) => !used.has(name))).toEqual(['process_start_time_seconds']);
  });
});
