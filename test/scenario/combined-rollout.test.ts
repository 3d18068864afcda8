import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/guardrails/approvals.ts';
import { resume } from '../../shared/app/guardrails/controls.ts';
import { rolloutView } from '../../shared/app/guardrails/rollout-gate.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import {
  beat,
  HELD,
  HOUR,
  haltAll,
  inactive,
  MINUTE,
  operatorOf,
  selectorOf,
  suspendFor,
  told,
  unhaltAll,
} from './operator-steps.ts';

const STAGED = 'schedule: 12h\nrollout: { canary: { match: { ou: /Canary }, wait: 30m } }';
const canaries = (world: World) => world.members(({ ou }) => ou === '/Canary').map(({ accountId }) => accountId);
const gateOf = (world: World) => world.look(({ registers }) => rolloutView(registers));
const adopting = () => startWorld({ sandbox: { accounts: 40, drift: 1, seed: 2 }, policy: { more: STAGED } });

describe('a rollout', () => {
  it('whose wait ends during a halt changes nothing until unhalt', async () => {
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

  it('with one suspended canary waits for the others', async () => {
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

  it('with all canaries suspended waits for an operator, even after they are resumed', async () => {
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
    // The canaries are remediated; an operator decides about the rest.
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

  it('that opens while the window is closed continues when the window opens', async () => {
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

  it('whose canaries wait for the window; the rest waits for the next one', async () => {
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
