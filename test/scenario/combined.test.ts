import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { resume } from '../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import { enqueueAccounts } from '../../shared/app/work-queue/enqueue-event-accounts.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import {
  beat,
  HELD,
  HOUR,
  haltAll,
  inactive,
  operatorOf,
  selectorOf,
  suspendFor,
  told,
  unhaltAll,
} from './operator-steps.ts';

/** Runs a scan if one is due, like the daemon or the tick. @returns the run's plan */
async function scanIfDue(world: World, app: Runtime) {
  const { policy } = world.context(app);
  const request = await requestScan(app.deps, policy);
  if (request === null) return null;
  const requests = { send: async () => undefined };
  const deadline = { remainingMs: () => HOUR, reserveMs: 0, stop: new AbortController().signal };
  const onProgress = () => undefined;
  const end = await scanPart({ ...app, policy, requests, deadline, onProgress }, request.runId);
  expect(end.kind).toBe('done');
  return end.kind === 'done' ? end.plan : null;
}

describe('Automation with an unmanaged Compute Optimizer', () => {
  it('is enabled after the event of an opt-in, without a scan', async () => {
    const world = await startWorld({
      sandbox: { accounts: 20, drift: 0.5 },
      policy: { computeOptimizer: 'unmanaged', automation: 'Active', more: 'schedule: 48h' },
    });
    const [id = ''] = inactive(world);
    const app = await world.app();
    const plan = await scanIfDue(world, app);
    expect(plan?.changes.find(({ accountId }) => accountId === id)).toMatchObject({ reason: 'prerequisite' });
    await beat(world, app);
    world.sandbox.drift({ changes: [{ accountId: id, enrollment: 'computeOptimizer', status: 'Active' }] });
    await enqueueAccounts(app.deps, world.context(app).policy.hash, [id]);
    await beat(world, app);
    expect(world.truthOf(id).automation.status).toBe('Active');
    await checkWorld(world, { openDrift: (accountId) => accountId !== id });
  });
});

describe('an exemption', () => {
  it('that ends while halted is enforced after unhalt', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0.5 }, policy: {} });
    const [id = ''] = inactive(world);
    const more = `schedule: 48h\nexemptions: [{ accounts: "${id}", until: 2026-11-02, reason: freeze, owner: o@example.com }]`;
    await world.run({ policy: { more } });
    expect(inactive(world)).toEqual([id]);
    const app = await world.app({ policy: { more } });
    await haltAll(app);
    world.clock.advanceTo(Date.UTC(2026, 10, 3, 0, 0, 1));
    await beat(world, app);
    expect(inactive(world)).toEqual([id]);
    await unhaltAll(app);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });
});

describe('many released accounts', () => {
  const capped = () =>
    startWorld({
      sandbox: { accounts: 40, drift: 0.6 },
      policy: { guardrails: '{ maxChanges: { percent: 0, atLeast: 12 } }', more: 'schedule: 48h' },
    });

  it('by resume all are checked together: an exceeded cap stops them before the first call', async () => {
    const world = await capped();
    const app = await world.app();
    expect(inactive(world).length).toBeGreaterThan(12);
    await suspendFor(app, 'all');
    expect((await scanIfDue(world, app))?.due).toEqual([]);
    expect(await scanIfDue(world, app)).toBeNull();
    await resume(operatorOf(app), selectorOf('all'));
    await settleControls(operatorOf(app));
    await beat(world, app);
    expect(world.wire.mutating.length).toBe(0);
    const plan = await scanIfDue(world, app);
    expect(plan?.trip?.reason).toBe('maxChanges');
    await beat(world, app);
    expect(world.wire.mutating.length).toBe(0);
    expect((await told(world)).slice(-2)).toEqual(['AccountResumed operator', 'GuardrailTripped maxChanges']);
    await approve(app.deps, plan?.planHash ?? '', { actor: 'user:ada', reason: null });
    expect((await scanIfDue(world, app))?.approval).not.toBeNull();
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('by the end of an exemption too; a prolonged one requests only one scan', async () => {
    const world = await capped();
    const exempt = (until: string) => ({
      more: `schedule: 48h\nexemptions: [{ accounts: [${inactive(world)
        .map((id) => `"${id}"`)
        .join(', ')}], until: ${until}, reason: freeze, owner: o@example.com }]`,
    });
    const first = exempt('2026-11-02');
    const longer = exempt('2026-11-20');
    let app = await world.app({ policy: first });
    await scanIfDue(world, app);
    await world.stop(app);
    app = await world.app({ policy: longer });
    expect(await scanIfDue(world, app)).not.toBeNull();
    world.clock.advanceTo(Date.UTC(2026, 10, 3, 0, 0, 1));
    let scans = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      await beat(world, app);
      if ((await scanIfDue(world, app)) !== null) scans += 1;
    }
    expect(scans).toBe(1);
    expect(world.wire.mutating.length).toBe(0);
    world.clock.advanceTo(Date.UTC(2026, 10, 21, 0, 0, 1));
    await beat(world, app);
    expect((await scanIfDue(world, app))?.trip?.reason).toBe('maxChanges');
    expect(world.wire.mutating.length).toBe(0);
    await checkWorld(world, HELD);
  });
});
