import { describe, expect, it } from 'vitest';
import { adoption, checkpointCosts, MONITORED, monthly, report, SIZES, USUAL } from '../../infra/costs.ts';
import committed from '../../infra/measured-calls.json' with { type: 'json' };
import { PRICES } from '../../infra/prices.ts';
import {
  dependentsOf,
  ENROLLMENT_IDS,
  type EnrollmentId,
  FIRST_KIND,
} from '../../shared/domain/enrollment/kinds/index.ts';
import { ALARMED } from '../../shared/ports/metrics.ts';
import { type Calls, type KindCalls, sum } from './measured.ts';
import { measurePhases } from './measured-calls.ts';
import { unitsOfWrite } from './meter.ts';
import { read } from './template.ts';

/** The kinds whose drift affects no other kind. */
const DRIFTING_ALONE = ENROLLMENT_IDS.filter((id) => dependentsOf(id).length === 0);

const readDefault = (name: string): unknown =>
  new RegExp(`^    ${name}: (\\S+)$`, 'm').exec(read('serverless.yml'))?.[1];

describe('the cost estimate', () => {
  it('is the same in the manual', () => {
    const manual = read('docs/how-to/deploy-aws.md');
    const tables = report();
    expect(manual).toContain(tables.monthly);
    expect(manual).toContain(tables.monitoring);
    expect(manual).toContain(tables.checkpoints);
    expect(manual).toContain(tables.adoption);
    expect(manual).toContain(`as of ${PRICES.date}`);
  });

  it('is less than 1 USD a month for 10,000 accounts without drift, with and without a tag rule', () => {
    for (const tagRule of [false, true]) {
      const { total } = monthly({ ...USUAL, accounts: 10_000, kinds: [FIRST_KIND.id], tagRule });
      expect(total).toBeLessThan(1);
    }
  });

  it('grows with accounts, scans and drift, and its parts add up', () => {
    for (const make of [monthly, adoption]) {
      const bills = SIZES.map((accounts) => make({ ...USUAL, accounts }));
      for (const { lines, total } of bills) {
        expect(Object.values(lines).every((line) => line >= 0)).toBe(true);
        expect(Object.values(lines).reduce((all, line) => all + line, 0)).toBeCloseTo(total, 10);
      }
      expect(bills.map(({ total }) => total)).toEqual(bills.map(({ total }) => total).sort((a, b) => a - b));
    }
    const usual = monthly({ ...USUAL, accounts: 1_000 }).total;
    expect(monthly({ ...USUAL, accounts: 1_000, scansPerMonth: 2_880 }).total).toBeGreaterThan(usual);
    expect(monthly({ ...USUAL, accounts: 1_000, driftPerDay: 0.01 }).total).toBeGreaterThan(usual);
    expect(monthly({ ...USUAL, accounts: 1_000, tagRule: true }).total).toBeGreaterThan(usual);
  });

  it('grows with every kind that the policy manages, whatever their number', () => {
    for (const make of [monthly, adoption]) {
      const totalOf = (kinds: readonly EnrollmentId[]) => make({ ...USUAL, accounts: 10_000, kinds }).total;
      for (const id of ENROLLMENT_IDS.slice(1)) {
        expect(totalOf([FIRST_KIND.id, id])).toBeGreaterThan(totalOf([FIRST_KIND.id]));
        expect(totalOf(ENROLLMENT_IDS)).toBeGreaterThan(totalOf(ENROLLMENT_IDS.filter((each) => each !== id)));
      }
    }
    expect(USUAL.kinds).toEqual(ENROLLMENT_IDS);
  });

  it('is a separate price for checkpoints, and nothing by default', () => {
    expect(checkpointCosts(String(readDefault('checkpoints')))).toBe(0);
    for (const mode of ['governance', 'compliance']) {
      expect(checkpointCosts(mode)).toBeGreaterThan(PRICES.kmsKeyMonth);
      expect(checkpointCosts(mode)).toBeLessThan(1.1);
    }
  });

  it('counts the metrics of alarms', () => {
    const looked = read('infra/alarms.yml').match(/MetricName: /g)?.length;
    expect(MONITORED.full.alarmMetrics).toBe(looked);
    expect(MONITORED.alarms.alarmMetrics).toBe(looked);
    const { metrics, driftMetrics } = MONITORED.alarms;
    // `EntriesRefused` has a value only while the event bus refuses entries.
    expect(metrics + driftMetrics).toBe(Object.values(ALARMED).flat().length - 1);
  });

  const first = [FIRST_KIND.id];
  it.each([
    ['the first kind', { kinds: first, drifting: first }],
    ['every kind', { kinds: ENROLLMENT_IDS, drifting: DRIFTING_ALONE }],
  ])('is computed from the calls of the functions, for %s', { timeout: 180_000 }, async (_, { kinds, drifting }) => {
    const [accounts, changed] = [30, 8];
    const found = await measurePhases({ accounts, changed, idleTicks: 10, kinds, drifting });
    const all = (part: (kind: KindCalls) => Calls, ids: readonly EnrollmentId[] = kinds): Calls =>
      sum(...ids.map((id) => [part(committed.kinds[id]), 1] as const));
    const quiet = all(({ scan }) => sum([scan.base, 1], [scan.perAccount, accounts]));
    expectAbout(found.tick, committed.tick);
    expectAbout(found.quiet, quiet);
    expectAbout(
      sum([found.changes, 1 / changed]),
      all(({ change }) => change, drifting),
    );
    expectAbout(found.adoption, sum([quiet, 1], [all(({ joined }) => joined), accounts]));
    const recordKb = kinds.reduce((sumOf, id) => sumOf + committed.kinds[id].recordKb, 0);
    expect(found.recordKb).toBeCloseTo(recordKb, 1);
  });

  it('measures every kind, one page of its listing at least', () => {
    expect(Object.keys(committed.kinds)).toEqual(ENROLLMENT_IDS);
    for (const id of ENROLLMENT_IDS) {
      const { scan, change, recordKb } = committed.kinds[id];
      expect([id, scan.base.calls + 100 * scan.perAccount.calls >= 1]).toEqual([id, true]);
      expect([id, change.calls > 1, change.events >= 4, recordKb > 0]).toEqual([id, true, true, true]);
    }
  });
});

/** The limiter's writes and the number of pages depend on timing: on a busy machine they may differ by a quarter and a few units. */
const SLACK: Readonly<Record<keyof Calls, number>> = {
  reads: 8,
  writes: 12,
  sqs: 2,
  events: 0.5,
  calls: 2,
  batches: 1,
};

function expectAbout(found: Calls, wanted: Calls): void {
  for (const name of ['reads', 'writes', 'sqs', 'events', 'calls', 'batches'] as const) {
    const off = Math.abs(found[name] - wanted[name]);
    const near = off <= SLACK[name] + wanted[name] / 4;
    expect([name, found[name], wanted[name], near]).toEqual([name, found[name], wanted[name], true]);
  }
}

describe('the cost of a write', () => {
  const item = (more: Record<string, { S: string }>) => ({ pk: { S: 'p' }, sk: { S: 's' }, ...more });

  it('is a unit per kilobyte of the larger of the old and the new item', () => {
    expect(unitsOfWrite(null, item({}))).toBe(1);
    expect(unitsOfWrite(item({ body: { S: 'x'.repeat(3_000) } }), item({}))).toBe(3);
    expect(unitsOfWrite(null, null)).toBe(1);
  });

  it('counts each index in which the item is added, removed or moved, but no unchanged index', () => {
    const waits = item({ todoKey: { S: 'due#1' }, todoTime: { S: '1' } });
    expect(unitsOfWrite(null, waits)).toBe(2);
    expect(unitsOfWrite(waits, item({}))).toBe(2);
    expect(unitsOfWrite(waits, { ...waits, todoTime: { S: '2' } })).toBe(3);
    expect(unitsOfWrite(waits, { ...waits, body: { S: 'new' } })).toBe(1);
  });
});
