import { expect, it } from 'vitest';
import { createSandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { FACET, sealAll } from '../contract/samples.ts';
import { manualClock } from '../support/manual-clock.ts';
import { StateTimeline } from './state-timeline.ts';

const KIND = 'costOptimizationHub';
const LISTING = { operation: 'GetEnrollmentStatusesForOrganization' };

/** An account that Cost Optimization Hub lists as Active, and a function that gives the checker's verdict on drift recorded for it. */
function enrolledAccount() {
  const clock = manualClock();
  const sandbox = createSandbox({ seed: 1, accounts: 10, drift: 0, latencyMs: 0, faults: [] }, { clock });
  const timeline = new StateTimeline(sandbox, () => clock.now(), 0);
  const found = sandbox.accounts().find(({ management, state }) => !management && state === 'ACTIVE');
  const { accountId } = found ?? expect.fail('no member account');
  for (const enrollment of [KIND, 'computeOptimizer'] as const)
    sandbox.drift({ changes: [{ accountId, enrollment, status: 'Active' }] });
  timeline.observe();
  return {
    /** A listing of Compute Optimizer names the account to a process. */
    listed: (process = { alive: true }) =>
      timeline.answered(LISTING, { accountEnrollmentStatuses: [{ accountId }] }, process),
    async leaves(): Promise<void> {
      await clock.advance(1);
      sandbox.changeAccounts({ remove: [accountId] });
      timeline.observe();
    },
    /** Time passes, and a scan begins. @returns the time, epoch ms */
    async later(ms: number): Promise<number> {
      await clock.advance(ms);
      timeline.observe();
      return clock.now();
    },
    /** @param lastUpdated `null`: concluded from a listing that lacked the account */
    drift(enrollment: EnrollmentId, lastUpdated: string | null, scanBegan: number | null = null): string | null {
      const after = { ...FACET, status: 'Inactive', lastUpdated } as const;
      const [entry] = sealAll(accountId, [{ type: 'DriftDetected', accountId, enrollment, after }]);
      return timeline.falseObservation(entry ?? expect.fail('no entry'), scanBegan);
    },
  };
}

it('Drift concluded from a missing account is false while the account belongs to the organization', () => {
  const { drift } = enrolledAccount();
  expect(drift(KIND, null)).toBe('costOptimizationHub Inactive (Drifted)');
});

it('Drift concluded from a missing account is accepted if the account left between two listings', async () => {
  const { drift, leaves, listed } = enrolledAccount();
  listed();
  await leaves();
  expect(drift(KIND, null)).toBeNull();
});

it('Drift concluded from a missing account is false if the listing of Compute Optimizer does not name it either', async () => {
  const { drift, leaves } = enrolledAccount();
  await leaves();
  expect(drift(KIND, null)).toBe('costOptimizationHub Inactive (Drifted)');
});

it('Drift concluded from a missing account is false if the process whose listing named the account has died', async () => {
  const { drift, leaves, listed } = enrolledAccount();
  const process = { alive: true };
  listed(process);
  await leaves();
  process.alive = false;
  expect(drift(KIND, null)).toBe('costOptimizationHub Inactive (Drifted)');
});

it('If the account left between two listings, drift is still false if AWS reported the status, or if it is for Compute Optimizer, which lists every account', async () => {
  const { drift, leaves, listed } = enrolledAccount();
  listed();
  await leaves();
  expect(drift(KIND, '2026-11-01T00:00:00.000Z')).toBe('costOptimizationHub Inactive (Drifted)');
  expect(drift('computeOptimizer', null)).toBe('computeOptimizer Inactive (Drifted)');
});

it('Drift concluded from a missing account is false if the account left before the scan', async () => {
  const { drift, leaves, listed, later } = enrolledAccount();
  listed();
  await leaves();
  expect(drift(KIND, null, await later(120_000))).toBe('costOptimizationHub Inactive (Drifted)');
});
