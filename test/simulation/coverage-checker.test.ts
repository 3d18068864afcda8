import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { MANUAL_CLOCK_START, manualClock } from '../support/manual-clock.ts';
import { CoverageJudge } from './coverage-checker.ts';

/* What the judge lets pass is as much of what a history shows as what it accuses. */

const MINUTE = 60_000;
/** So long before the scan that no picture is from then. */
const LONG = DEFAULT_SETTINGS.snapshotMaxAgeMs + MINUTE;

function organization(accounts: number) {
  const clock = manualClock(MANUAL_CLOCK_START - LONG);
  const sandbox = createSandbox({ seed: 1, accounts, drift: 0, latencyMs: 0, faults: [] }, { clock });
  const judge = new CoverageJudge(sandbox, () => clock.now());
  judge.look();
  const all = sandbox.accounts().map(({ accountId }) => accountId);
  return {
    all,
    /** Somebody changes the organization. */
    change(changes: Parameters<typeof sandbox.changeAccounts>[0]): readonly AccountId[] {
      judge.look();
      const ids = sandbox.changeAccounts(changes);
      judge.look();
      return ids;
    },
    lists(ids: readonly AccountId[]): void {
      const listed = { accountEnrollmentStatuses: ids.map((accountId) => ({ accountId, status: 'Active' })) };
      judge.answered({ operation: 'GetEnrollmentStatusesForOrganization', callerAccountId: '' }, listed);
    },
    reads: (id: AccountId) => judge.answered({ operation: 'GetEnrollmentStatus', callerAccountId: id }, {}),
    pass: (ms: number) => clock.advance(ms),
    /** By the run whose scan was begun at the start and that has planned now. */
    tooFew: (minCoverage = 90) => judge.tooFew({ began: MANUAL_CLOCK_START, planned: clock.now() - 1 }, minCoverage),
  };
}

describe('the judge of coverage', () => {
  it('accuses a run that AWS had told too little', async () => {
    const { all, lists, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(2));
    await pass(MINUTE);
    expect(tooFew()).toBe('8 of 10 accounts');
    expect(tooFew(80)).toBeNull();
  });

  it('counts what was read one by one', async () => {
    const { all, lists, reads, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(2));
    reads(all[0] ?? '');
    await pass(MINUTE);
    expect(tooFew()).toBeNull();
  });

  it('counts nothing that was told before the scan was begun, or after it had planned', async () => {
    const { all, lists, pass, tooFew } = organization(10);
    lists(all);
    await pass(LONG);
    lists(all.slice(2));
    await pass(MINUTE);
    lists(all);
    expect(tooFew()).toBe('8 of 10 accounts');
  });

  it('counts an account that was told of and is closed while the scan goes on', async () => {
    const { all, change, lists, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(1));
    await pass(MINUTE);
    change({ update: [{ accountId: all.at(-1) ?? '', state: 'SUSPENDED' }] });
    await pass(MINUTE);
    // 9 of 10 by the organization when the scan was begun; by what is left of it they are 8 of 9.
    expect(tooFew()).toBeNull();
  });

  it('does not count an account that was closed long before', async () => {
    const { all, change, lists, pass, tooFew } = organization(10);
    change({ update: [{ accountId: all.at(-1) ?? '', state: 'SUSPENDED' }] });
    await pass(LONG);
    lists(all.slice(1));
    await pass(MINUTE);
    expect(tooFew()).toBe('8 of 9 accounts');
  });

  it('does not ask for accounts that join or leave while the scan goes on', async () => {
    const { all, change, lists, pass, tooFew } = organization(9);
    await pass(LONG);
    lists(all.slice(1));
    change({ add: [{}] });
    change({ remove: [all[0] ?? ''] });
    await pass(MINUTE);
    expect(tooFew(100)).toBeNull();
  });

  it('asks for an account that joined long before', async () => {
    const { all, change, lists, pass, tooFew } = organization(9);
    change({ add: [{}] });
    await pass(LONG);
    lists(all.slice(1));
    await pass(MINUTE);
    expect(tooFew()).toBe('8 of 10 accounts');
  });
});
