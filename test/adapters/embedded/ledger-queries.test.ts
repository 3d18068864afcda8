import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { databasePath } from '../../../shared/adapters/embedded/file.ts';
import { COUNTS, RESOLUTIONS, STEPS } from '../../../shared/adapters/embedded/ledger-outline.ts';
import { toStatement } from '../../../shared/adapters/embedded/ledger-query.ts';
import { A } from '../../contract/ledger-reading.ts';
import { chainOf } from '../../contract/samples.ts';
import { type Bench, makeBench } from './stores.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

it('every combination of filters reads an index in order, without sorting or a table scan', async () => {
  await (await bench.open()).close();
  const db = new DatabaseSync(databasePath(bench.dataDir), { readOnly: true });
  const filter = fc.record(
    {
      accountId: fc.constant('123456789012'),
      enrollment: fc.constant('automation' as const),
      type: fc.constant('DriftDetected' as const),
      runId: fc.constant('r'),
      actor: fc.constant('a'),
      since: fc.constant('2026-01-01T00:00:00Z'),
      until: fc.constant('2026-02-01T00:00:00Z'),
    },
    { requiredKeys: [] },
  );
  const order = fc.constantFrom('newestFirst' as const, 'oldestFirst' as const);
  fc.assert(
    fc.property(filter, order, fc.boolean(), (filters, direction, paged) => {
      const after = paged ? ([1, 1] as const) : null;
      const { text, parameters } = toStatement(filters, { limit: 10, order: direction, after });
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...parameters);
      const steps = plan.map((row) => String(row['detail']));
      expect(steps).toHaveLength(1);
      expect(steps[0]).toMatch(/^(SEARCH|SCAN) ledger USING INDEX ledger_\w+/);
      // Only the query without a filter or cursor starts at the end of an index.
      const narrowed = Object.keys(filters).length > 0 || paged;
      expect(steps[0]?.startsWith('SEARCH')).toBe(narrowed);
    }),
    { numRuns: 400 },
  );
  db.close();
});

it('the outline of a run reads one covering index and groups by account without sorting', async () => {
  await (await bench.open()).close();
  const db = new DatabaseSync(databasePath(bench.dataDir), { readOnly: true });
  const plans = [COUNTS, STEPS, RESOLUTIONS].map((text) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all('run')
      .map((row) => String(row['detail'])),
  );
  for (const [first] of plans) expect(first).toContain('SEARCH ledger USING COVERING INDEX ledger_steps (run_id=?');
  expect(plans[1]).toHaveLength(1);
  expect(plans[2]).toHaveLength(1);
  db.close();
});

it('facts of more than one page of rows are complete, and newest first', async () => {
  const { ledger } = await bench.open();
  // A page has 2,000 rows. The contract stays below, because this many writes take seconds on DynamoDB.
  const entries = chainOf(A, 4_100);
  expect(new Set(await ledger.append(entries))).toEqual(new Set(['appended']));
  const found: number[] = [];
  for await (const page of ledger.facts({})) found.push(...page.map(({ at }) => at));
  expect(found).toEqual(entries.map(({ at }) => Date.parse(at)).sort((a, b) => b - a));
});
