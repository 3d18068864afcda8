import { describe, expect, it } from 'vitest';
import { halt, resume, suspend, unhalt } from '../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../shared/app/operator/apply-controls.ts';
import { parseOperatorSelector } from '../../../shared/domain/policy/index.ts';
import { functionsOf } from './functions.ts';
import { type Deployment, deploy } from './support.ts';

const HOUR_MS = 3_600_000;

/** An operator's process on the same table as the functions. */
async function operator(world: Deployment) {
  const { stores, clock, newId } = await world.compose('cli')();
  const deps = { ...stores, clock, newId, actor: 'alice' };
  const selectorOf = (text: string) => {
    const parsed = parseOperatorSelector(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.selector;
  };
  return {
    deps,
    halt: () => halt(deps, 'incident 7').then(() => settleControls(deps)),
    unhalt: () => unhalt(deps).then(() => settleControls(deps)),
    suspend: (text: string, until: number | null) =>
      suspend(deps, { selector: selectorOf(text), until, reason: null }).then(() => settleControls(deps)),
    resume: (text: string) => resume(deps, selectorOf(text)).then(() => settleControls(deps)),
    verdictOf: async (id: string) => (await stores.records.get(id))?.conditions.computeOptimizer?.verdict ?? null,
  };
}

const notActive = (world: Deployment): readonly string[] =>
  world.sandbox.sandbox
    .accounts()
    .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active')
    .map(({ accountId }) => accountId);

async function workOff(work: () => Promise<{ readonly failed: readonly string[] } | null>): Promise<void> {
  for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
}

describe('the functions under an operator’s controls', () => {
  it('a halt between scan and work prevents every change and loses no key; unhalt continues immediately', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    const drifted = notActive(world);
    expect(drifted.length).toBeGreaterThan(2);
    const alice = await operator(world);
    await alice.halt();
    await workOff(work);
    expect(notActive(world)).toEqual(drifted);
    for (const id of drifted) expect(await alice.verdictOf(id)).toBe('Blocked');
    // Neither the tick nor the next scan ignores the halt.
    world.clock.advance(HOUR_MS);
    await tick();
    await scan();
    await workOff(work);
    expect(notActive(world)).toEqual(drifted);
    await alice.unhalt();
    await workOff(work);
    expect(notActive(world)).toEqual([]);
    for (const id of drifted) expect(await alice.verdictOf(id)).toBe('Compliant');
    await tick();
    const published = ['Enforcement Halted', 'Enforcement Resumed'].map((type) => world.events(type).length);
    expect(published).toEqual([1, 1]);
    // A scan follows the end of the halt, although none was due.
    expect(await scan()).toMatchObject([{ result: 'done' }]);
  });

  it('the tick records the end of an expired suspension, and the account is remediated without a scan', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 }, policy: { more: 'schedule: 12h' } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    const [id = ''] = notActive(world);
    const alice = await operator(world);
    await alice.suspend(id, world.clock.now() + HOUR_MS);
    expect(await alice.verdictOf(id)).toBe('Suspended');
    await workOff(work);
    expect(notActive(world)).toEqual([id]);
    world.clock.advance(HOUR_MS);
    expect(await tick()).toMatchObject({ announced: 1, scanRequested: null });
    await workOff(work);
    expect(notActive(world)).toEqual([]);
    await tick();
    expect(world.events('Account Suspended').length).toBe(2);
    expect(world.events('Account Resumed').length).toBe(2);
  });

  it('a closed window delays changes, and the tick after its opening enqueues them', async () => {
    const windows = 'schedule: 12h\nwindows: [{ kind: allow, cron: "0 14 * * *", duration: 2h }]';
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 }, policy: { more: windows } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    await workOff(work);
    const drifted = notActive(world);
    expect(drifted.length).toBeGreaterThan(2);
    world.clock.advanceTo(Date.UTC(2026, 10, 2, 14));
    expect(await tick()).toMatchObject({ keysDue: drifted.length, scanRequested: null });
    await workOff(work);
    expect(notActive(world)).toEqual([]);
  });

  it('the tick records the start and the end of exemptions', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const [id = ''] = notActive(world);
    const exemptions = `exemptions: [{ accounts: "${id}", until: 2026-11-04, reason: freeze, owner: o@example.com }]`;
    world.writePolicy({ more: `schedule: 12h\n${exemptions}` });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    await workOff(work);
    expect(notActive(world)).toEqual([id]);
    // A container looks for exemptions every five minutes, and its first tick has just looked.
    world.clock.advance(5 * 60_000);
    expect((await tick()).announced).toBe(1);
    expect((await tick()).announced).toBe(0);
    world.clock.advanceTo(Date.UTC(2026, 10, 5, 0, 0, 1));
    expect((await tick()).announced).toBe(1);
    await scan();
    await tick();
    await workOff(work);
    expect(notActive(world)).toEqual([]);
    await tick();
    expect([world.events('Exemption Expiring').length, world.events('Exemption Expired').length]).toEqual([1, 1]);
  });
});
