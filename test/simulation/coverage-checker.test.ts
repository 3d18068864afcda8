import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { MANUAL_CLOCK_START, manualClock } from '../support/manual-clock.ts';
import { CoverageChecker } from './coverage-checker.ts';

/* A history proves something only if the checker accepts correct runs and rejects wrong ones. */

const MINUTE = 60_000;
/** Older than any snapshot that a scan may use. */
const LONG = DEFAULT_SETTINGS.snapshotMaxAgeMs + MINUTE;

function organization(accounts: number) {
  const clock = manualClock(MANUAL_CLOCK_START - LONG);
  const sandbox = createSandbox({ seed: 1, accounts, drift: 0, latencyMs: 0, faults: [] }, { clock });
  const checker = new CoverageChecker(sandbox, () => clock.now());
  checker.observe();
  const all = sandbox.accounts().map(({ accountId }) => accountId);
  return {
    all,
    change(changes: Parameters<typeof sandbox.changeAccounts>[0]): readonly AccountId[] {
      checker.observe();
      const ids = sandbox.changeAccounts(changes);
      checker.observe();
      return ids;
    },
    lists(ids: readonly AccountId[]): void {
      const listed = { accountEnrollmentStatuses: ids.map((accountId) => ({ accountId, status: 'Active' })) };
      checker.answered({ operation: 'GetEnrollmentStatusesForOrganization', callerAccountId: '' }, listed);
    },
    reads: (id: AccountId) => checker.answered({ operation: 'GetEnrollmentStatus', callerAccountId: id }, {}),
    pass: (ms: number) => clock.advance(ms),
    /** For the run whose scan started at the clock's start and whose plan was just made. */
    tooFew: (minCoverage = 90, notRequired: readonly AccountId[] = []) =>
      checker.tooFew(
        {
          ...{ enrollment: 'computeOptimizer', startedAt: MANUAL_CLOCK_START, planned: clock.now() - 1 },
          notRequired: new Set(notRequired),
        },
        minCoverage,
      ),
  };
}

describe('the coverage checker', () => {
  it('reports a run with too few known accounts', async () => {
    const { all, lists, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(2));
    await pass(MINUTE);
    expect(tooFew()).toBe('8 of 10 accounts');
    expect(tooFew(80)).toBeNull();
  });

  it('does not require accounts whose status the scan need not know', async () => {
    const { all, lists, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(2));
    await pass(MINUTE);
    expect(tooFew(100, all.slice(0, 1))).toBe('8 of 9 accounts');
    expect(tooFew(100, all.slice(0, 2))).toBeNull();
  });

  it('counts accounts that were read one by one', async () => {
    const { all, lists, reads, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(2));
    reads(all[0] ?? '');
    await pass(MINUTE);
    expect(tooFew()).toBeNull();
  });

  it('ignores answers from before the scan or after the plan', async () => {
    const { all, lists, pass, tooFew } = organization(10);
    lists(all);
    await pass(LONG);
    lists(all.slice(2));
    await pass(MINUTE);
    lists(all);
    expect(tooFew()).toBe('8 of 10 accounts');
  });

  it('counts a reported account that closes during the scan', async () => {
    const { all, change, lists, pass, tooFew } = organization(10);
    await pass(LONG);
    lists(all.slice(1));
    await pass(MINUTE);
    change({ update: [{ accountId: all.at(-1) ?? '', state: 'SUSPENDED' }] });
    await pass(MINUTE);
    // 9 of 10 accounts when the scan started; 8 of 9 of those that are left.
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

  it('does not require accounts that join or leave during the scan', async () => {
    const { all, change, lists, pass, tooFew } = organization(9);
    await pass(LONG);
    lists(all.slice(1));
    change({ add: [{}] });
    change({ remove: [all[0] ?? ''] });
    await pass(MINUTE);
    expect(tooFew(100)).toBeNull();
  });

  it('requires an account that joined long before', async () => {
    const { all, change, lists, pass, tooFew } = organization(9);
    change({ add: [{}] });
    await pass(LONG);
    lists(all.slice(1));
    await pass(MINUTE);
    expect(tooFew()).toBe('8 of 10 accounts');
  });
});
