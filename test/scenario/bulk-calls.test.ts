import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';
import { checkWorld } from '../support/world-checks.ts';

const ACCOUNTS = 250;
const PAGES = Math.ceil(ACCOUNTS / 100);

describe('the remediation of a whole organization by member calls', () => {
  it('costs two calls an account, and one listing before the changes and one after them', async () => {
    const world = await startWorld({ sandbox: { accounts: ACCOUNTS, drift: 1 } });
    const drifted = world.members((account) => account.computeOptimizer.status === 'Inactive').length;
    expect(drifted).toBeGreaterThan(200);
    const run = await world.run();
    expect(run.changes).toMatchObject({ attempted: drifted, succeeded: drifted });
    expect(run.open).toEqual([]);
    expect(world.calls('UpdateEnrollmentStatus')).toBe(drifted);
    expect(world.calls('AssumeRole')).toBe(drifted);
    // The scan reads the management account itself; no listing contains it.
    expect(world.calls('GetEnrollmentStatus')).toBe(1);
    // The scan, the observation before the changes, and their confirmation.
    expect(world.calls('GetEnrollmentStatusesForOrganization')).toBe(3 * PAGES);
    await checkWorld(world);
  });
});
