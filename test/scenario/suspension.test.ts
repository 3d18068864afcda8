import { describe, expect, it } from 'vitest';
import { resume, suspend } from '../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { status } from '../../shared/app/queries/status.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';
import { ALL, HOUR, optOut, selectorOf } from './operator-steps.ts';

/** Applies an operator command during other work, and records it. */
async function set(app: Runtime, text: string, until: number | null = null): Promise<void> {
  const deps = { ...app.deps, actor: 'alice' };
  await suspend(deps, { selector: selectorOf(text), until, reason: 'incident 7' });
  await settleControls(deps);
}

async function lift(app: Runtime, text: string): Promise<void> {
  const deps = { ...app.deps, actor: 'bob' };
  await resume(deps, selectorOf(text));
  await settleControls(deps);
}

async function verdictOf(world: World, id: string): Promise<unknown> {
  const condition = (await world.records()).get(id)?.conditions.computeOptimizer;
  return condition == null ? null : { verdict: condition.verdict, reason: condition.reason };
}

const SUSPENDED = { verdict: 'Suspended', reason: 'suspendedByOperator' };

describe('a suspension', () => {
  it('prevents changes of its accounts, which do not count as compliant, until it is resumed', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: ALL });
    await world.run();
    const [drifted, well] = world.members().map(({ accountId }) => accountId);
    if (drifted === undefined || well === undefined) throw new Error('too few members');
    optOut(world, [drifted]);
    const app = await world.app();
    await set(app, `${drifted},${well}`);
    // Immediately, without a scan.
    expect(await verdictOf(world, drifted)).toEqual(SUSPENDED);
    expect(await verdictOf(world, well)).toEqual(SUSPENDED);
    expect((await status(app.deps)).summary.computeOptimizer).toMatchObject({ Suspended: 2 });

    const plan = await world.plan();
    expect(plan.changes).toMatchObject([{ accountId: drifted, verdict: 'Suspended', action: 'none' }]);
    expect(plan.summary.computeOptimizer.Suspended).toBe(2);
    const run = await world.run();
    expect([run.changes.attempted, world.wire.mutating.length]).toEqual([0, 0]);
    expect(await verdictOf(world, well)).toEqual(SUSPENDED);

    await lift(app, drifted);
    await world.work(app);
    expect(world.truthOf(drifted).computeOptimizer.status).toBe('Active');
    expect(await verdictOf(world, drifted)).toEqual({ verdict: 'Compliant', reason: null });
    expect(await verdictOf(world, well)).toEqual(SUSPENDED);
    await checkWorld(world, { notYetCompliant: (accountId) => accountId === well });
    const { entries } = await app.deps.ledger.query({ accountId: drifted }, { limit: 50, order: 'oldestFirst' });
    const told = entries
      .filter(({ type }) => type.startsWith('Account'))
      .map(({ type, actor, detail }) => [type, actor, detail?.selector]);
    expect(told).toEqual([
      ['AccountJoined', app.caller.arn, undefined],
      ['AccountSuspended', 'alice', `${[drifted, well].sort().join(',')}`],
      ['AccountResumed', 'bob', drifted],
    ]);
  });

  it('that ended leaves no account due: each enrollment that complies is read once', async () => {
    const world = await startWorld({
      sandbox: { accounts: 8, drift: 0 },
      policy: { ...ALL, automation: 'Active' },
    });
    await world.run();
    const app = await world.app();
    await set(app, 'all');
    await lift(app, 'all');
    await world.work(app);
    expect(await app.deps.records.due(world.clock.now() + HOUR, 100)).toEqual([]);
  });

  it('expires: announced, and drift is remediated without a scan', async () => {
    const world = await startWorld({ sandbox: { accounts: 12, drift: 0 }, policy: ALL });
    await world.run();
    const { accountId, ou } = world.member(({ ou: path }) => path !== '/');
    optOut(world, [accountId]);
    const app = await world.app();
    const until = world.clock.now() + HOUR;
    await set(app, `ou:${ou}`, until);
    await world.run();
    expect(await verdictOf(world, accountId)).toEqual(SUSPENDED);
    world.clock.advanceTo(until);
    expect(await world.announce(app)).toBe(1);
    expect(await world.announce(app)).toBe(0);
    await world.work(app);
    expect(await verdictOf(world, accountId)).toEqual({ verdict: 'Compliant', reason: null });
    const { entries } = await app.deps.ledger.query({ type: 'AccountResumed' }, { limit: 100 });
    expect(entries.filter(({ chain }) => chain === 'organization')).toMatchObject([{ reason: 'expired' }]);
    await checkWorld(world);
  });

  it('applies to an account while it is in the OU', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: ALL });
    await world.run();
    const { accountId, ou } = world.member(({ ou: path }) => path !== '/');
    const other = world.member(({ ou: path }) => path !== ou && path !== '/').ou;
    const app = await world.app();
    await set(app, `ou:${other}`);
    expect(await verdictOf(world, accountId)).toEqual({ verdict: 'Compliant', reason: null });
    const facts = await app.deps.snapshots.get(accountId);
    if (facts === null) throw new Error('no facts');
    optOut(world, [accountId]);
    await app.deps.snapshots.refresh([{ ...facts, ou: other }]);
    const work = { v: 1, kind: 'account', enrollment: 'computeOptimizer', runId: 'none', planHash: null } as const;
    await app.deps.queue.send([{ ...work, accountId, policyHash: world.context(app).policy.hash }]);
    await world.work(app);
    expect(await verdictOf(world, accountId)).toEqual(SUSPENDED);
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Inactive');
    // After the suspension it is checked like any other account.
    await app.deps.snapshots.refresh([facts]);
    await app.deps.queue.send([{ ...work, accountId, policyHash: world.context(app).policy.hash }]);
    await world.work(app);
    expect(await verdictOf(world, accountId)).not.toEqual(SUSPENDED);
  });

  it('by a tag applies before tags were ever read, and the next scan reads them', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0.5 }, policy: ALL });
    const tagged = world.member(
      ({ tags, computeOptimizer }) => Object.keys(tags).length > 0 && computeOptimizer.status !== 'Active',
    );
    const [[key, value] = ['', '']] = Object.entries(tagged.tags);
    const app = await world.app();
    await set(app, `tag:${key}=${value}`);
    await world.run();
    expect(await verdictOf(world, tagged.accountId)).toEqual(SUSPENDED);
    for (const { accountId, tags, computeOptimizer } of world.members()) {
      const meant = tags[key] === value;
      expect([accountId, await verdictOf(world, accountId)]).toEqual([
        accountId,
        meant ? SUSPENDED : { verdict: 'Compliant', reason: null },
      ]);
      if (!meant) expect(computeOptimizer.status).toBe('Active');
    }
    await checkWorld(world, { notYetCompliant: (accountId) => world.truthOf(accountId).tags[key] === value });
  });

  it('set during a run is respected by every process from the next call on', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy: { ...ALL, concurrency: 2 } });
    const drifted = world
      .members(({ computeOptimizer }) => computeOptimizer.status !== 'Active')
      .map(({ accountId }) => accountId);
    const operator = await world.app();
    let at = 0;
    let done = Promise.resolve();
    let seen = 0;
    await world.run({
      onProgress: ({ kind }) => {
        if (kind !== 'worked' || ++seen !== 3) return;
        done = set(operator, 'all').then(() => {
          at = world.clock.now();
        });
      },
    });
    await done;
    const late = world.wire.mutating.filter((call) => call.at > at + 1_000);
    expect(late).toEqual([]);
    expect(world.wire.mutating.length).toBeLessThan(drifted.length);
    for (const accountId of drifted) {
      const { status: now } = world.truthOf(accountId).computeOptimizer;
      if (now !== 'Active') expect(await verdictOf(world, accountId)).toEqual(SUSPENDED);
    }
    await checkWorld(world, { notYetCompliant: () => true });
  });
});

describe('the organization-wide call', () => {
  const policy = { ...ALL, organizationEnrollment: 'auto' } as const;
  const wide = (world: World) => world.wire.mutating.filter(({ organizationWide }) => organizationWide);

  it('is not made while anything is suspended, even an unknown account id', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy });
    const app = await world.app();
    await set(app, '999999999999');
    expect((await world.plan()).orgWide.computeOptimizer).toMatchObject({ used: false, possible: false });
    const run = await world.run();
    expect([run.open, wide(world)]).toEqual([[], []]);
    await checkWorld(world);
  });

  it('is not made if an account is suspended after planning; the others are changed one by one', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0.8 }, policy });
    const [{ accountId } = { accountId: '' }] = world.members(
      ({ computeOptimizer }) => computeOptimizer.status !== 'Active',
    );
    const app = await world.app();
    let done = Promise.resolve();
    const run = await world.run({
      onPlan: (plan) => {
        expect(plan.orgWide.computeOptimizer?.used).toBe(true);
        done = set(app, accountId);
      },
    });
    await done;
    expect(wide(world)).toEqual([]);
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Inactive');
    expect(await verdictOf(world, accountId)).toEqual(SUSPENDED);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });
});
