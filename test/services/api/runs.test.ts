import { expect, test } from 'vitest';
import { type Answer, SCHEMAS } from '../../../services/api/schemas.ts';
import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { changeKey } from '../../../shared/app/plan/change-keys.ts';
import { fullSummary } from '../../../shared/app/queries/plan-document.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import type { EntryType } from '../../../shared/domain/ledger/entry-types.ts';
import { account, FACET, sealAll } from '../../contract/samples.ts';
import { change } from '../../support/changes.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { api, store as openStore } from './support.ts';

const ACCOUNTS = 10_000;
const RUN = 'run-of-ten-thousand';
const KINDS = ['computeOptimizer', 'automation'] as const;

/** The recorded steps of Compute Optimizer, in order, for every tenth account. Automation, the follow-up, has not begun anywhere yet. */
const HISTORIES: readonly (readonly EntryType[])[] = [
  ['RemediationStarted', 'RemediationFailed', 'RemediationStarted', 'RemediationSucceeded', 'DriftResolved'],
  ['RemediationStarted', 'RemediationSucceeded', 'DriftResolved'],
  ['RemediationStarted', 'RemediationSucceeded'],
  ['RemediationStarted'],
  ['RemediationStarted', 'RemediationFailed'],
  ['RemediationBlocked'],
  [],
  ['RemediationStarted', 'RemediationSucceeded', 'ConvergenceStalled'],
  ['DriftResolved'],
  ['RemediationBlocked', 'RemediationStarted', 'DriftResolved'],
];
const TRUTH = { confirmed: 4, inProgress: 2, failed: 2, blocked: 1 };

const at = (seconds: number): string => new Date(MANUAL_CLOCK_START + seconds * 1_000).toISOString();

function entriesOf(n: number): readonly LedgerEntry[] {
  const step = { enrollment: 'computeOptimizer', runId: RUN, after: { ...FACET, reason: 'retrying' } } as const;
  return sealAll(
    account(n),
    (HISTORIES[n % 10] ?? []).map((type) => ({ ...step, type })),
  );
}

test('the counts of a run of 10,000 accounts are exact despite killed workers and repeated attempts', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const runs = new RunStore(store.registers);
  const numbers = Array.from({ length: ACCOUNTS }, (_, n) => n);
  const keys = numbers.flatMap((n) =>
    KINDS.map((enrollment) => changeKey(change({ accountId: account(n), enrollment }))),
  );
  // A part that was killed, and the part that continued: it found half of the work done.
  await runs.noteChanges(RUN, keys, clock.now());
  await runs.noteChanges(RUN, keys.slice(ACCOUNTS), clock.now());
  const totals = { now: ACCOUNTS, followUps: ACCOUNTS, optOuts: 0, calls: 10_200 };
  const coverage = { listed: ACCOUNTS, evaluated: ACCOUNTS, unknown: 0, notApplicable: 0 };
  const verdicts = fullSummary(byKind(() => ({})));
  const summary = { verdicts, coverage, due: ACCOUNTS, totals };
  await store.ledger.append([
    ...sealAll('organization', [
      { type: 'ScanStarted', runId: RUN },
      { type: 'ScanCompleted', runId: RUN, detail: { summary } },
    ]),
    ...numbers.flatMap(entriesOf),
    // Caused by an event, and counted with the last run.
    ...sealAll(account(ACCOUNTS), [{ type: 'RemediationStarted', enrollment: 'automation', runId: RUN }]),
    // Resolved by someone else, and a change of another run.
    ...sealAll(account(ACCOUNTS + 1), [{ type: 'DriftResolved', enrollment: 'automation', runId: RUN }]),
    ...sealAll(account(ACCOUNTS + 2), [{ type: 'RemediationStarted', enrollment: 'automation', runId: 'another' }]),
  ]);

  const { get } = await api({ store, clock });
  const before = process.cpuUsage();
  const detail = await get(`/api/runs/${RUN}`, SCHEMAS.RunDetail);
  const { user, system } = process.cpuUsage(before);
  const each = ACCOUNTS / 10;
  const truth = Object.fromEntries(Object.entries(TRUTH).map(([ending, histories]) => [ending, histories * each]));
  expect(detail.run).toMatchObject({
    totals,
    changes: { total: 2 * ACCOUNTS, ...truth, notStarted: ACCOUNTS + each, unplanned: 1 },
  });
  expect(detail.plan).toMatchObject({ source: 'stored', total: 2 * ACCOUNTS + 1 });
  expect(detail.plan.changes).toHaveLength(1_000);
  expect(detail.plan.changes.find(({ outcome }) => outcome === 'failed')).toMatchObject({ reason: 'retrying' });
  const steps = HISTORIES.flat().filter((type) => type === 'RemediationStarted').length;
  expect(detail).toMatchObject({
    entries: { RemediationStarted: steps * each + 1, ScanStarted: 1 },
    entriesCut: false,
  });
  expect((await get('/api/runs', SCHEMAS.Runs)).runs).toMatchObject([{ runId: RUN, changes: detail.run.changes }]);
  const outcomes = { 'Needs attention': 3 * each, 'In progress': 2 * each, Waiting: 0, Superseded: 0 };
  const ended = { ...outcomes, Succeeded: 4 * each, 'Not started': ACCOUNTS + each };
  expect(detail.run).toMatchObject({ outcome: 'In progress', endedAt: null, outcomes: ended });
  expect(detail).toMatchObject({ accounts: ACCOUNTS, kinds: [{ total: ACCOUNTS }, { total: ACCOUNTS }] });
  // Processor time in microseconds, far above the usual 100 ms; reading the entries one by one would take seconds.
  expect(user + system).toBeLessThan(2_000_000);
}, 60_000);

test('the pages of a large run list every change once, those that need attention first', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const numbers = Array.from({ length: ACCOUNTS }, (_, n) => n);
  const keys = numbers.map((n) => changeKey(change({ accountId: account(n), enrollment: 'computeOptimizer' })));
  await new RunStore(store.registers).noteChanges(RUN, keys, clock.now());
  await store.ledger.append([
    ...sealAll('organization', [{ type: 'ScanStarted', runId: RUN }]),
    ...numbers.flatMap(entriesOf),
  ]);
  const { get, send } = await api({ store, clock });
  const path = `/api/runs/${RUN}/changes?limit=1000`;
  const rows: string[] = [];
  const results: string[] = [];
  // Pages from the beginning, across the end of the first group, and at the end.
  for (const [from, next] of [
    [0, '1000'],
    [2_500, '3500'],
    [9_000, null],
  ] as const) {
    const page: Answer<'RunChanges'> = await get(`${path}&cursor=${from}`, SCHEMAS.RunChanges);
    expect(page).toMatchObject({ total: ACCOUNTS, next });
    rows.push(...page.changes.map(({ accountId }) => accountId));
    results.push(...page.changes.map(({ result }) => result));
  }
  expect(new Set(rows).size).toBe(3_000);
  expect([...new Set(results)]).toEqual(['Needs attention', 'In progress', 'Succeeded']);
  const failed = await get(`${path}&outcome=Needs%20attention&enrollment=computeOptimizer`, SCHEMAS.RunChanges);
  expect(failed).toMatchObject({ total: 3_000, counts: { 'Needs attention': 3_000, Succeeded: 4_000 } });
  expect(failed.changes[0]).toMatchObject({ result: 'Needs attention', at: expect.any(String), planned: true });
  expect((await get(`${path}&text=${account(7)}`, SCHEMAS.RunChanges)).changes).toMatchObject([
    { accountId: account(7) },
  ]);
  expect((await send(`${path}&cursor=10001`)).json).toMatchObject({ code: 'BadCursor' });
  expect((await send('/api/runs/none/changes')).json).toMatchObject({ code: 'RunUnknown' });
  // Long, because the tests share the processor.
}, 120_000);

test('a run says what started it, how long it took and how it ended', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const coverage = { listed: 9, evaluated: 9, unknown: 0, notApplicable: 0 };
  const verdicts = { ...fullSummary(byKind(() => ({}))), computeOptimizer: { Drifted: 3, Compliant: 6 } };
  const none = { verdicts, coverage, due: 0, totals: { now: 0, followUps: 0, optOuts: 0, calls: 0 } };
  const some = { ...none, due: 4, totals: { now: 4, followUps: 0, optOuts: 0, calls: 4 } };
  const trigger = { kind: 'scan', actor: 'anna', reason: 'after the outage' } as const;
  await store.ledger.append(
    sealAll('organization', [
      { type: 'ScanStarted', runId: 'first', at: at(0) },
      { type: 'ScanStarted', runId: 'second', at: at(60), detail: { trigger } },
      { type: 'ScanCompleted', runId: 'second', at: at(90), detail: { summary: none } },
      { type: 'ScanStarted', runId: 'third', at: at(120) },
      { type: 'ScanCompleted', runId: 'third', at: at(130), detail: { summary: some } },
      { type: 'GuardrailTripped', runId: 'third', at: at(131), reason: 'maxChanges' },
    ]),
  );
  const { get } = await api({ store, clock });
  const { runs } = await get('/api/runs', SCHEMAS.Runs);
  expect(runs).toMatchObject([
    {
      runId: 'third',
      outcome: 'Stopped by guardrail',
      endedAt: at(131),
      trigger: null,
      outcomes: { 'Not started': 4 },
    },
    { runId: 'second', outcome: 'Nothing planned', trigger, drift: 3, startedAt: at(60), endedAt: at(90) },
    { runId: 'first', outcome: 'Interrupted', drift: null },
  ]);
});

test('changes that events add to a run are counted apart from its plan, and do not prolong it', async () => {
  const clock = manualClock(MANUAL_CLOCK_START + 3_600_000);
  const store = await openStore(clock);
  const coverage = { listed: 9, evaluated: 9, unknown: 0, notApplicable: 0 };
  const verdicts = fullSummary(byKind(() => ({})));
  const summaryOf = (now: number) => ({
    summary: { verdicts, coverage, due: now, totals: { now, followUps: 0, optOuts: 0, calls: now } },
  });
  const planned = changeKey(change({ accountId: account(3), enrollment: 'computeOptimizer' }));
  for (const runId of ['capped', 'worked']) await new RunStore(store.registers).noteChanges(runId, [planned], 0);
  const fixed = (runId: string, from: number) =>
    (['RemediationStarted', 'RemediationSucceeded', 'DriftResolved'] as const).map((type, n) => {
      return { type, runId, at: at(from + n), enrollment: 'computeOptimizer', after: FACET } as const;
    });
  await store.ledger.append([
    ...sealAll('organization', [
      { type: 'ScanStarted', runId: 'capped', at: at(0) },
      { type: 'ScanCompleted', runId: 'capped', at: at(10), detail: summaryOf(1) },
      { type: 'GuardrailTripped', runId: 'capped', at: at(11), reason: 'maxChanges' },
      { type: 'ScanStarted', runId: 'worked', at: at(100) },
      { type: 'ScanCompleted', runId: 'worked', at: at(110), detail: summaryOf(1) },
      { type: 'ScanStarted', runId: 'empty', at: at(200) },
      { type: 'ScanCompleted', runId: 'empty', at: at(210), detail: summaryOf(0) },
    ]),
    ...sealAll(account(1), [...fixed('capped', 40), ...fixed('worked', 140), ...fixed('empty', 240)]),
    ...sealAll(account(2), fixed('empty', 300)),
    // The second time, an event reported that the account was changed back.
    ...sealAll(account(3), [...fixed('worked', 120), ...fixed('worked', 150)]),
  ]);

  const { get, send } = await api({ store, clock });
  const { runs } = await get('/api/runs', SCHEMAS.Runs);
  expect(runs).toMatchObject([
    { runId: 'empty', outcome: 'Nothing planned', endedAt: at(210), changes: { total: 0, confirmed: 0, unplanned: 2 } },
    { runId: 'worked', outcome: 'Completed', endedAt: at(122), changes: { total: 1, confirmed: 1, unplanned: 1 } },
    { runId: 'capped', outcome: 'Stopped by guardrail', endedAt: at(11), changes: { total: 1, unplanned: 1 } },
  ]);
  expect(runs.map(({ outcomes }) => outcomes['Succeeded'])).toEqual([0, 1, 0]);
  const path = '/api/runs/capped/changes';
  expect(await get(`${path}?planned=true`, SCHEMAS.RunChanges)).toMatchObject({
    total: 1,
    counts: { 'Not started': 1, Succeeded: 0 },
    changes: [{ accountId: account(3), planned: true }],
  });
  expect(await get(`${path}?planned=false`, SCHEMAS.RunChanges)).toMatchObject({
    total: 1,
    counts: { 'Not started': 0, Succeeded: 1 },
    changes: [{ accountId: account(1), planned: false }],
  });
  expect(await get(path, SCHEMAS.RunChanges)).toMatchObject({ total: 2 });
  expect((await send(`${path}?planned=perhaps`)).json).toMatchObject({ code: 'BadRequest' });
});

test('a run whose plan is no longer stored still has its started changes and its planned total', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const coverage = { listed: 9, evaluated: 9, unknown: 0, notApplicable: 0 };
  const summary = { verdicts: fullSummary(byKind(() => ({}))), coverage, due: 7 };
  await store.ledger.append([
    ...sealAll('organization', [
      { type: 'ScanStarted', runId: RUN },
      { type: 'ScanCompleted', runId: RUN, detail: { summary } },
    ]),
    ...[1, 2, 4].flatMap(entriesOf),
  ]);
  const { get } = await api({ store, clock });
  const { run, plan } = await get(`/api/runs/${RUN}`, SCHEMAS.RunDetail);
  const known = { confirmed: 1, inProgress: 1, failed: 1, blocked: 0 };
  expect(run).toMatchObject({ totals: null, due: 7, changes: { total: 7, ...known, notStarted: 4, unplanned: 0 } });
  expect(plan).toMatchObject({ source: 'ledger', total: 7 });
  expect(plan.changes).toHaveLength(3);
});
