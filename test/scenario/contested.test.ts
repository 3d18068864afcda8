import { describe, expect, it } from 'vitest';
import { resumeContested } from '../../shared/app/operator/resume-contested.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import { startWorld, type World } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const HOUR_MS = 3_600_000;

function setBack(world: World, accountId: string, enrollment: EnrollmentId = 'computeOptimizer'): void {
  world.sandbox.drift({ changes: [{ accountId, enrollment, status: 'Inactive' }] });
}

/** Does the same as `rollcall resume`. */
async function resume(world: World, accountId: string): Promise<void> {
  const app = await world.app();
  const parsed = parseOperatorSelector(accountId);
  if (!parsed.ok) expect.fail(parsed.message);
  expect(await resumeContested(app.deps, parsed.selector)).toEqual([accountId]);
  // A second resume finds nothing to resume.
  expect(await resumeContested(app.deps, parsed.selector)).toEqual([]);
  await world.stop(app);
}

describe('an account that someone keeps reverting', () => {
  it('is remediated twice, then reported as contested; after a resume it is remediated without a scan', async () => {
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 } });
    await world.run();
    const { accountId } = world.member();
    for (const times of [1, 2]) {
      world.clock.advance(HOUR_MS);
      setBack(world, accountId);
      expect((await world.run()).open).toEqual([]);
      expect(world.calls('UpdateEnrollmentStatus', accountId)).toBe(times);
    }
    world.clock.advance(HOUR_MS);
    setBack(world, accountId);
    const third = await world.run();
    expect(third.open).toMatchObject([{ accountId, verdict: 'Blocked', reason: 'contested', notBefore: null }]);
    expect(third.open[0]?.message).toMatch(/reverted 3 times within 24 hours .* `rollcall resume`/);
    expect(third.changes).toMatchObject({ attempted: 0, blocked: 1, failed: 0 });
    // Three days later it is still contested.
    world.clock.advance(72 * HOUR_MS);
    const later = await world.run();
    expect(later.plan.changes).toMatchObject([{ accountId, verdict: 'Blocked', reason: 'contested', action: 'none' }]);
    expect(world.calls('UpdateEnrollmentStatus', accountId)).toBe(2);
    const chains = await checkWorld(world);
    const flaps = chains.get(accountId)?.filter(({ type }) => type === 'FlapDetected');
    expect(flaps).toHaveLength(1);

    await resume(world, accountId);
    const app = await world.app();
    expect(await world.work(app)).toBe(1);
    await world.stop(app);
    expect(world.calls('UpdateEnrollmentStatus', accountId)).toBe(3);
    expect(world.truthOf(accountId).computeOptimizer.status).toBe('Active');
    await checkWorld(world);
    // The count starts over.
    setBack(world, accountId);
    expect((await world.run()).open).toEqual([]);
    await checkWorld(world);
  });

  it('prevents the organization-wide call', async () => {
    const auto = { organizationEnrollment: 'auto' } as const;
    const world = await startWorld({ sandbox: { accounts: 20, drift: 0 }, policy: auto });
    await world.run();
    const [first, ...others] = world.members();
    const accountId = first?.accountId ?? '';
    for (let n = 0; n < 3; n += 1) {
      world.clock.advance(HOUR_MS);
      setBack(world, accountId);
      await world.run();
    }
    // They gave in, for now; and then everybody drifts.
    world.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Active' }] });
    for (const other of others.slice(0, 12)) setBack(world, other.accountId);
    const run = await world.run();
    expect(run.plan.orgWide.computeOptimizer).toMatchObject({
      used: false,
      possible: false,
      note: 'some accounts are contested',
    });
    expect(world.wire.mutating.some(({ organizationWide }) => organizationWide)).toBe(false);
    expect(run.open).toEqual([]);
    await checkWorld(world);
  });
});
