import { afterEach, expect, test } from 'vitest';
import type { RunContext } from '../../../../shared/app/context.ts';
import { halt } from '../../../../shared/app/guardrails/controls.ts';
import { listRunChanges } from '../../../../shared/app/queries/run-change-list.ts';
import { showRun } from '../../../../shared/app/queries/runs.ts';
import type { WorkContext } from '../../../../shared/app/reconciler/worker-context.ts';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { HOUR, policyOf } from '../../../support/domain-kit.ts';
import { accountId, keyOf, Workshop } from '../../../support/workshop.ts';

/* Drift that appears after a run has fixed its changes is not part of the run, even if its entries carry the id of the run. */

const POLICY = policyOf(
  'computeOptimizer: Active, automation: Active',
  'guardrails: { maxChanges: { percent: 100, atLeast: 100 } }',
);
const MEMBERS = 3;
/** Each member has two: Compute Optimizer, and Automation after it. */
const CHANGES = 6;

let shop: Workshop;
afterEach(() => shop.close());

interface Worker {
  readonly run: RunContext;
  readonly work: WorkContext;
}

async function open(pendingMs = 0): Promise<Worker> {
  shop = await Workshop.open({ policy: POLICY, members: MEMBERS, cloud: { pendingMs } });
  return { run: shop.run(), work: await shop.process() };
}

async function finish({ run, work }: Worker): Promise<void> {
  await shop.scan(run);
  await shop.workOff(work);
  await shop.later(work, HOUR);
}

/** Someone opts Automation out. AWS does not accept an opt-in for the next 24 hours. */
function optOut(n: number): void {
  shop.cloud.set(accountId(n), { automation: { status: 'Inactive', lastUpdated: shop.clock.now() } });
}

/** An event reports the account. Its entries carry the id of the last run. */
const report = ({ run, work }: Worker, n: number) => shop.handle(work, keyOf(shop, run, n, 'automation'));

const runOf = async (runId: string) =>
  (await showRun(shop.store, shop.clock, runId))?.run ?? expect.fail(`there is no run ${runId}`);

/** The results of the changes of one kind, in the order of the accounts. */
async function results(runId: string, enrollment: EnrollmentId = 'automation') {
  const query = { limit: 100, cursor: null, enrollment };
  const list = await listRunChanges(shop.store, shop.clock, runId, query);
  const sorted = [...(list?.changes ?? [])].sort((a, b) => a.accountId.localeCompare(b.accountId));
  return sorted.map(({ result }) => result);
}

test('drift after a change succeeded does not reopen the run', async () => {
  const worker = await open();
  await finish(worker);
  const { endedAt } = await runOf('run-1');
  optOut(0);
  await report(worker, 0);
  expect(await shop.condition(accountId(0), 'automation')).toMatchObject({ reason: 'coolDown' });
  const run = await runOf('run-1');
  expect(run).toMatchObject({ outcome: 'Completed', endedAt, outcomes: { Succeeded: CHANGES, Waiting: 0 } });
  expect(run.changes).toMatchObject({ total: CHANGES, confirmed: CHANGES, blocked: 0, driftedAgain: 1 });
  expect(await results('run-1')).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
});

test('drift after a later run confirmed a change does not reopen the run that made it', async () => {
  const worker = await open(2 * HOUR);
  await shop.scan(worker.run);
  await shop.workOff(worker.work);
  await shop.clock.advance(3 * HOUR);
  const later = shop.run();
  await shop.scan(later);
  await shop.workOff(worker.work);
  shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive' } });
  await shop.handle(worker.work, keyOf(shop, later, 0));
  expect(await shop.condition(accountId(0))).toMatchObject({ verdict: 'Converging' });
  expect(await results('run-1', 'computeOptimizer')).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  expect(await runOf('run-1')).toMatchObject({ changes: { confirmed: MEMBERS, inProgress: 0 } });
});

test('a run with a change that waits is waiting, until a later run takes the change over', async () => {
  const worker = await open();
  optOut(0);
  await finish(worker);
  expect(await results('run-1')).toEqual(['Waiting', 'Succeeded', 'Succeeded']);
  expect(await runOf('run-1')).toMatchObject({ outcome: 'Waiting', outcomes: { Waiting: 1, Succeeded: CHANGES - 1 } });
  await shop.scan();
  expect(await results('run-1')).toEqual(['Superseded', 'Succeeded', 'Succeeded']);
  expect(await runOf('run-1')).toMatchObject({
    outcome: 'Completed',
    outcomes: { Waiting: 0, Superseded: 1, Succeeded: CHANGES - 1 },
  });
});

test('a run whose accepted changes AWS still processes is in progress, however long that takes', async () => {
  const worker = await open(5 * HOUR);
  await shop.scan(worker.run);
  await shop.workOff(worker.work);
  await shop.later(worker.work, HOUR);
  expect(await results('run-1', 'computeOptimizer')).toEqual(['In progress', 'In progress', 'In progress']);
  const processing = { outcome: 'In progress', endedAt: null, outcomes: { 'In progress': MEMBERS, Succeeded: 0 } };
  expect(await runOf('run-1')).toMatchObject(processing);
  await shop.scan();
  expect(await runOf('run-1')).toMatchObject(processing);
});

test('a halt stops a run whose changes wait, until the halt ends', async () => {
  const worker = await open();
  optOut(0);
  await finish(worker);
  expect(await runOf('run-1')).toMatchObject({ outcome: 'Waiting' });
  await halt(shop.deps(), 'audit');
  expect(await runOf('run-1')).toMatchObject({ outcome: 'Stopped by halt' });
});
