import { describe, expect, it } from 'vitest';
import { approve, openApprovals } from '../../../../shared/app/guardrails/approvals.ts';
import { rolloutView } from '../../../../shared/app/guardrails/rollout-gate.ts';
import { listRuns } from '../../../../shared/app/queries/runs.ts';
import { DAY, HOUR, NOW, policyOf } from '../../../support/domain-kit.ts';
import { useWorkshop } from '../../../support/scan-bed.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const FREELY = 'guardrails: { maxChanges: { percent: 100 } }';
const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');

const open = useWorkshop();
const observe = (workshop: Workshop) => workshop.scan({ ...workshop.run(), observeOnly: true });

describe('a scan that only observes', () => {
  it('records drift with its time, enqueues nothing and changes nothing', async () => {
    const workshop = await open({ policy: policyOf('computeOptimizer: Active', FREELY), members: 3 });
    const plan = await observe(workshop);
    expect(plan.totals).toMatchObject({ now: 3 });
    expect(await workshop.messages()).toEqual([]);
    expect(workshop.cloud.changes).toEqual([]);
    expect(await workshop.condition(accountId(0))).toMatchObject({ verdict: 'Drifted', runId: 'run-1' });
    expect((await workshop.condition(accountId(0))).driftSince).not.toBeNull();
    const types = (await workshop.chain('organization')).map(({ type }) => type);
    expect(types).toEqual(['PolicyChanged', 'ScanStarted', 'ScanCompleted']);
  });

  it('appears among the runs without planned changes', async () => {
    const workshop = await open({ policy: policyOf('computeOptimizer: Active', FREELY), members: 3 });
    await observe(workshop);
    const { runs } = await listRuns(workshop.store, workshop.clock, { limit: 5, cursor: null });
    expect(runs).toMatchObject([{ runId: 'run-1', due: 0, totals: { now: 0, followUps: 0 }, stopped: null }]);
    expect((await workshop.chain('organization')).at(-1)?.detail?.summary).toMatchObject({ observeOnly: true });
  });

  it('is stopped by no guardrail, and leaves an approval for the next run', async () => {
    const workshop = await open({ policy: CAPPED, members: 6 });
    const { planHash } = await workshop.scan();
    await approve(workshop.deps(), planHash, { actor: 'user:ada', reason: 'reviewed' });
    const before = (await workshop.chain('organization')).length;
    await observe(workshop);
    const types = (await workshop.chain('organization')).slice(before).map(({ type }) => type);
    expect(types).toEqual(['ScanStarted', 'ScanCompleted']);
    const [left] = await openApprovals(workshop.store.registers, CAPPED.hash, NOW + HOUR);
    expect(left).toMatchObject({ planHash, startedRun: null });
    expect(await workshop.scan()).toMatchObject({ trip: null, approval: { planHash } });
  });

  it('does not begin a rollout', async () => {
    const rollout = 'rollout: { canary: { match: { accounts: ["300000000000"] }, wait: 30m } }';
    const workshop = await open({ policy: policyOf('computeOptimizer: Active', `${FREELY}\n${rollout}`), members: 3 });
    const plan = await observe(workshop);
    expect(plan.changes.map(({ status }) => status).sort()).toEqual(['Drifted', 'Waiting', 'Waiting']);
    expect(await rolloutView(workshop.store.registers)).toBeNull();
    await workshop.scan();
    expect(await rolloutView(workshop.store.registers)).toMatchObject({ phase: 'canary', canaries: 1 });
  });

  it('finds a cool-down that a daemon ends later', async () => {
    const policy = policyOf('computeOptimizer: Active, automation: Active', FREELY);
    const workshop = await open({ policy, members: 1 });
    const computeOptimizer = { status: 'Active', lastUpdated: NOW - 3 * DAY } as const;
    workshop.cloud.set(accountId(0), {
      computeOptimizer,
      automation: { status: 'Inactive', lastUpdated: NOW - 23 * HOUR },
    });
    await observe(workshop);
    expect(await workshop.condition(accountId(0), 'automation')).toMatchObject({ reason: 'coolDown' });
    await workshop.later(await workshop.process(), HOUR);
    expect(await workshop.condition(accountId(0), 'automation')).toMatchObject({ verdict: 'Compliant' });
  });
});
