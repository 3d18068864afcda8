import { expect, test } from 'vitest';
import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { changeKey } from '../../../shared/app/plan/change-keys.ts';
import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import { showRun } from '../../../shared/app/queries/runs.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Ledger } from '../../../shared/ports/ledger.ts';
import { account, FACET, sealAll } from '../../contract/samples.ts';
import { change } from '../../support/changes.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { store as openStore } from './support.ts';

const RUN = 'run';
const at = (seconds: number): string => new Date(MANUAL_CLOCK_START + seconds * 1_000).toISOString();
const fixed = (from: number) =>
  (['RemediationStarted', 'RemediationSucceeded', 'DriftResolved'] as const).map((type, n) => {
    return { type, runId: RUN, at: at(from + n), enrollment: 'computeOptimizer', after: FACET } as const;
  });

/** A run that has fixed its planned changes, and then all of them again, because somebody reverted them. @returns its end, and the queries for it */
async function revertedRun(changes: number) {
  const clock = manualClock(MANUAL_CLOCK_START + 3_600_000);
  const store = await openStore(clock);
  const numbers = Array.from({ length: changes }, (_, n) => n);
  const keys = numbers.map((n) => changeKey(change({ accountId: account(n), enrollment: 'computeOptimizer' })));
  await new RunStore(store.registers).noteChanges(RUN, keys, 0);
  const coverage = { listed: changes, evaluated: changes, unknown: 0, notApplicable: 0 };
  const totals = { now: changes, followUps: 0, optOuts: 0, calls: changes };
  const summary = { verdicts: fullSummary(byKind(() => ({}))), coverage, due: changes, totals };
  await store.ledger.append([
    ...sealAll('organization', [
      { type: 'ScanStarted', runId: RUN, at: at(0) },
      { type: 'ScanCompleted', runId: RUN, at: at(10), detail: { summary } },
    ]),
    ...numbers.flatMap((n) => sealAll(account(n), [...fixed(20), ...fixed(400 + n)])),
  ]);
  let queries = 0;
  const query: Ledger['query'] = (filter, page) => {
    queries += 1;
    return store.ledger.query(filter, page);
  };
  const shown = await showRun({ ...store, ledger: { ...store.ledger, query } }, clock, RUN);
  return { endedAt: shown?.run.endedAt, queries };
}

test('a run ends with its last planned change, also if all of them were made again later', async () => {
  expect((await revertedRun(60)).endedAt).toBe(at(22));
});

test('finding the end of a run takes a bounded number of queries', async () => {
  const { endedAt = null, queries } = await revertedRun(400);
  expect(queries).toBeLessThan(150);
  expect(endedAt?.localeCompare(at(800))).toBe(-1);
});
