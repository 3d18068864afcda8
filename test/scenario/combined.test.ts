import { describe, expect, it } from 'vitest';
import { approve } from '../../shared/app/approvals.ts';
import { halt, resume, suspend, unhalt } from '../../shared/app/controls.ts';
import { rolloutView } from '../../shared/app/rollout-state.ts';
import { settleControls } from '../../shared/app/settle-controls.ts';
import { timedChores } from '../../shared/app/timed-chores.ts';
import type { App } from '../../shared/compose/app.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger.ts';
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

const operatorOf = (app: App) => ({ ...app.deps, actor: 'user:ada' });

async function suspendFor(app: App, text: string, until: number | null = null): Promise<void> {
  await suspend(operatorOf(app), { selector: selectorOf(text), until, reason: 'incident 7' });
  await settleControls(operatorOf(app));
}

async function haltAll(app: App): Promise<void> {
  await halt(operatorOf(app), 'incident 7');
  await settleControls(operatorOf(app));
}

async function unhaltAll(app: App): Promise<void> {
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

async function beat(world: World, app: App): Promise<void> {
  await timedChores(app.deps, world.context(app).policy);
  await world.work(app);
  await world.work(app);
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
    console.log(await told(world), await gateOf(world));
    await unhaltAll(app);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
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
    console.log(run.rollout, run.changes, run.plan.due.length);
    expect(world.wire.mutating.length).toBe(0);
    await checkWorld(world, HELD);
    world.clock.advance(HOUR);
    await beat(world, app);
    console.log(await gateOf(world), await told(world));
    expect(world.wire.mutating.length).toBe(0);
    await resume(operatorOf(app), selectorOf('all'));
    await settleControls(operatorOf(app));
    await beat(world, app);
    console.log(await gateOf(world), await told(world), world.wire.mutating.length);
    await beat(world, app);
    const gate = await gateOf(world);
    await approve(app.deps, gate?.planHash ?? '', { actor: 'user:ada', reason: null });
    await world.run();
    console.log(await gateOf(world), await told(world), world.wire.mutating.length);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });

  it('whose canary is set back during the wait is not opened', async () => {
    const world = await adopting();
    await world.run();
    const [first = ''] = canaries(world);
    world.sandbox.drift({ changes: [{ accountId: first, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    world.clock.advance(HOUR);
    const app = await world.app();
    await beat(world, app);
    console.log(await gateOf(world), inactive(world).length);
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
    console.log((await world.records()).get(id)?.computeOptimizer);
    await unhaltAll(app);
    await beat(world, app);
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });
});

describe('a closed window', () => {
  const windows = 'schedule: 48h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
  const OPENS = Date.parse('2026-11-02T14:00:00.000Z');
  it('an approval given while it is closed holds when it opens', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.5 },
      policy: { guardrails: '{ maxChanges: { percent: 0, atLeast: 3 } }', more: windows },
    });
    const run = await world.run();
    expect(run.plan.trip?.reason).toBe('maxChanges');
    const app = await world.app();
    await approve(app.deps, run.plan.planHash, { actor: 'user:ada', reason: null });
    const second = await world.run();
    console.log(second.plan.approval, second.plan.trip, second.changes, second.open[0]);
    world.clock.advanceTo(OPENS);
    await beat(world, app);
    console.log(inactive(world).length, await told(world));
    expect(inactive(world)).toEqual([]);
    await checkWorld(world);
  });
});

describe('resume all', () => {
  it('with more drift than the cap allows changes nothing before it is asked', async () => {
    const world = await startWorld({
      sandbox: { accounts: 40, drift: 0.5 },
      policy: { guardrails: '{ maxChanges: { percent: 0, atLeast: 3 } }', more: 'schedule: 48h' },
    });
    const app = await world.app();
    await suspendFor(app, 'all');
    await world.run();
    await resume(operatorOf(app), selectorOf('all'));
    await settleControls(operatorOf(app));
    await beat(world, app);
    console.log(inactive(world).length, world.wire.mutating.length, await told(world));
    expect(world.wire.mutating.length).toBe(0);
  });
});
