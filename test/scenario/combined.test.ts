import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { halt, resume, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { rolloutView } from '../../shared/app/guardrails/rollout-gate.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { scanPart } from '../../shared/app/scan/resumable-scan.ts';
import { requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import { enqueueAccounts } from '../../shared/app/work-queue/enqueue-accounts.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function selectorOf(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.selector;
}

const operatorOf = (app: Runtime) => ({ ...app.deps, actor: 'user:ada' });

async function suspendFor(app: Runtime, text: string, until: number | null = null): Promise<void> {
  await suspend(operatorOf(app), { selector: selectorOf(text), until, reason: 'incident 7' });
  await settleControls(operatorOf(app));
}

async function haltAll(app: Runtime): Promise<void> {
  await halt(operatorOf(app), 'incident 7');
  await settleControls(operatorOf(app));
}

async function unhaltAll(app: Runtime): Promise<void> {
  await unhalt(operatorOf(app));
  await settleControls(operatorOf(app));
}

const inactive = (world: World): string[] =>
  world.members(({ computeOptimizer }) => computeOptimizer.status !== 'Active').map(({ accountId }) => accountId);

const told = async (world: World): Promise<string[]> => {
  const chain = await world.look(({ ledger }) => ledger.read(ORGANIZATION_CHAIN, 0, 1_000));
  return chain.map(({ type, reason }) => `${type} ${reason}`).filter((text) => !text.startsWith('Scan'));
};

const STAGED = 'schedule: 12h\nrollout: { canary: { match: { ou: /Canary }, wait: 30m } }';
const canaries = (world: World) => world.members(({ ou }) => ou === '/Canary').map(({ accountId }) => accountId);
const gateOf = (world: World) => world.look(({ registers }) => rolloutView(registers));
const adopting = () => startWorld({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy: { more: STAGED } });
const HELD = { openDrift: () => true };

async function beat(world: World, app: Runtime): Promise<void> {
  await world.announce(app);
  await world.work(app);
  world.clock.advance(MINUTE);
  await world.work(app);
}

/** What the daemon or the tick does about scans. @returns the run's plan, if one was due. */
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

describe('a rollout', () => {
  it('whose wait ends while enforcement is halted changes nothing until unhalt', async () => {
    const world = await adopting();
    await world.run();
    const app = await world.app();
    await haltAll(app);
    world.clock.advance(HOUR);
    await beat(world, app);
    expect(new Set(world.wire.mutating.map(({ caller }) => caller))).toEqual(new Set(canaries(world)));
    expect(await gateOf(world)).toMatchObject({ phase: 'waiting', opensAt: null });
    expect((await gateOf(world))?.message).toContain('enforcement is halted');
    await unhaltAll(app);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    expect(await told(world)).toEqual([
      ...['PolicyChanged null', 'RolloutAdvanced canary', 'RolloutAdvanced waiting', 'EnforcementHalted operator'],
      ...['EnforcementResumed operator', 'RolloutAdvanced open'],
    ]);
    await checkWorld(world);
  });

  it('one of whose canaries is suspended waits for the others', async () => {
    const world = await adopting();
    const [first = '', ...rest] = canaries(world);
    expect(rest.length).toBeGreaterThan(0);
    await world.plan();
    const app = await world.app();
    await suspendFor(app, first);
    const run = await world.run();
    expect(run.rollout).toMatchObject({ phase: 'waiting' });
    expect(new Set(world.wire.mutating.map(({ caller }) => caller))).toEqual(new Set(rest));
    world.clock.advance(HOUR);
    await beat(world, app);
    expect(inactive(world)).toEqual([first]);
    await resume(operatorOf(app), selectorOf('all'));
    await settleControls(operatorOf(app));
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('all of whose canaries are suspended waits for an operator, also after they are resumed', async () => {
    const world = await adopting();
    const app = await world.app();
    await suspendFor(app, 'ou:/Canary');
    const run = await world.run();
    expect(run.rollout).toMatchObject({ phase: 'blocked', planHash: run.plan.planHash });
    expect(run.rollout?.message).toContain('no canary is left');
    await checkWorld(world, HELD);
    world.clock.advance(HOUR);
    await beat(world, app);
    expect(world.wire.mutating.length).toBe(0);
    await resume(operatorOf(app), selectorOf('all'));
    await settleControls(operatorOf(app));
    await beat(world, app);
    // The canaries are put right; of the rest an operator decides.
    expect(new Set(world.wire.mutating.map(({ caller }) => caller))).toEqual(new Set(canaries(world)));
    const gate = await gateOf(world);
    expect(gate).toMatchObject({ phase: 'blocked' });
    await approve(app.deps, gate?.planHash ?? '', { actor: 'user:ada', reason: null });
    await world.run();
    expect(await gateOf(world)).toBeNull();
    expect(inactive(world)).toEqual([]);
    expect(await told(world)).toEqual([
      ...['AccountSuspended operator', 'PolicyChanged null', 'RolloutAdvanced canary', 'GuardrailTripped rollout'],
      ...['AccountResumed operator', 'PlanApproved null', 'RolloutAdvanced approved'],
    ]);
    await checkWorld(world);
  });
});

describe('a rollout under windows', () => {
  const more = `${STAGED}\nwindows: [{ kind: allow, cron: "0 9,12 * * *", duration: 1h }]`;
  const staged = () => startWorld({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy: { more } });

  it('that opens while the window is closed goes on when that opens', async () => {
    const world = await staged();
    world.clock.advance(35 * MINUTE);
    const run = await world.run();
    expect(run.rollout).toMatchObject({ phase: 'waiting' });
    const app = await world.app();
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 10, 30));
    await beat(world, app);
    expect(await gateOf(world)).toBeNull();
    expect(new Set(world.wire.mutating.map(({ caller }) => caller))).toEqual(new Set(canaries(world)));
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 12));
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('whose canaries wait for the window, and then the rest for the next one', async () => {
    const world = await staged();
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 10, 30));
    const run = await world.run();
    expect(new Set(run.open.map(({ reason }) => reason))).toEqual(new Set(['window', 'rollout']));
    const app = await world.app();
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 12));
    await beat(world, app);
    expect(new Set(world.wire.mutating.map(({ caller }) => caller))).toEqual(new Set(canaries(world)));
    expect(await gateOf(world)).toMatchObject({ phase: 'waiting' });
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 13, 30));
    await beat(world, app);
    expect(await gateOf(world)).toBeNull();
    world.clock.advanceTo(Date.UTC(2026, 10, 3, 9));
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });
});

describe('Automation over a Compute Optimizer that the policy leaves alone', () => {
  it('goes on by the event that says that somebody has opted in, without a scan', async () => {
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

describe('a closed window', () => {
  const windows = 'schedule: 48h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
  const OPENS = Date.parse('2026-11-02T14:00:00.000Z');
  const capped = (atLeast: number, accounts: number, drift: number) =>
    startWorld({
      sandbox: { accounts, drift },
      policy: { guardrails: `{ maxChanges: { percent: 0, atLeast: ${atLeast} } }`, more: windows },
    });

  it('an approval that is given while it is closed holds when it opens', async () => {
    const world = await capped(3, 40, 0.5);
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    await approve(app.deps, run.plan.planHash, { actor: 'user:ada', reason: null });
    const second = await world.run();
    expect(second.plan).toMatchObject({ trip: null, approval: { actor: 'user:ada' } });
    expect(world.wire.mutating.length).toBe(0);
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    expect(await told(world)).toEqual(['PolicyChanged null', 'GuardrailTripped maxChanges', 'PlanApproved null']);
    await checkWorld(world);
  });

  it('what an approved run has begun goes on in the next window, though a scan lay between', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.5 },
      policy: {
        concurrency: 1,
        guardrails: '{ maxChanges: { percent: 0, atLeast: 3 } }',
        more: 'schedule: 48h\nwindows: [{ kind: allow, cron: "0 14,18 * * *", duration: 2h }]',
      },
    });
    const { plan } = await world.run();
    const app = await world.app();
    await approve(app.deps, plan.planHash, { actor: 'user:ada', reason: null });
    world.clock.advanceTo(OPENS);
    let worked = 0;
    await world.run({
      onProgress: ({ kind }) => {
        if (kind === 'worked' && ++worked === 5) world.clock.advanceTo(OPENS + 2 * HOUR);
      },
    });
    const left = inactive(world).length;
    expect(left).toBeGreaterThan(3);
    expect(left).toBeLessThan(plan.changes.length);
    const between = await world.run();
    expect(between.plan.trip).toBeNull();
    expect(inactive(world).length).toBe(left);
    world.clock.advanceTo(OPENS + 4 * HOUR);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('what has drifted since the first scan counts together with what waited: nothing is changed', async () => {
    const world = await capped(4, 40, 0.1);
    const first = await world.run();
    expect(first.plan.trip).toBeNull();
    expect(first.plan.changes.length).toBeGreaterThan(1);
    const more = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active').slice(0, 4);
    world.sandbox.drift({
      changes: more.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    const second = await world.run();
    expect(second.plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(world.wire.mutating.length).toBe(0);
    expect(await told(world)).toEqual(['PolicyChanged null', 'GuardrailTripped maxChanges']);
    await checkWorld(world, HELD);
  });

  it('a scan that no longer trips frees what an earlier one had stopped', async () => {
    const world = await capped(4, 40, 0.1);
    const drifted = inactive(world);
    const more = world.members(({ computeOptimizer }) => computeOptimizer.status === 'Active').slice(0, 4);
    const set = (status: 'Active' | 'Inactive') =>
      world.sandbox.drift({
        changes: more.map(({ accountId }) => ({ accountId, enrollment: 'computeOptimizer', status })),
      });
    set('Inactive');
    expect((await world.run()).plan.trip?.reason).toBe('maxChanges');
    set('Active');
    expect((await world.run()).plan.trip).toBeNull();
    const app = await world.app();
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    expect(world.wire.mutating.length).toBe(drifted.length);
    await checkWorld(world);
  });
});

describe('what comes free in numbers', () => {
  const capped = () =>
    startWorld({
      sandbox: { accounts: 40, drift: 0.6 },
      policy: { guardrails: '{ maxChanges: { percent: 0, atLeast: 12 } }', more: 'schedule: 48h' },
    });

  it('by resume all is judged as a whole: a cap that it passes stops it before the first call', async () => {
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

  it('by the end of an exemption, too; one that was prolonged asks for one scan and no more', async () => {
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
