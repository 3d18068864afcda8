import { expect, it } from 'vitest';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { MessageTracker } from './message-tracker.ts';

const RUN = 'run-1';
const A = '111122223333';

/** A tracker to which processes send keys of the one account. */
function tracker() {
  const messages = new MessageTracker();
  let at = 0;
  return {
    sends(name: string, ...kinds: readonly EnrollmentId[]): void {
      at += 1;
      const common = { v: 1, policyHash: 'policy', runId: RUN, planHash: null } as const;
      const keys = kinds.map((enrollment) => ({ ...common, kind: 'account' as const, accountId: A, enrollment }));
      messages.sent(keys, { name }, { at, recordOf: () => null });
    },
    plannedAt: (enrollment: EnrollmentId) => messages.plannedAt(RUN, A, enrollment),
  };
}

it('A key that an event adds to a run is not in its plan, even if the run plans another kind of the account', () => {
  const { sends, plannedAt } = tracker();
  sends('scanner-1', 'computeOptimizer');
  sends('reactor-2', 'computeOptimizer', 'automation', 'costOptimizationHub');
  expect(plannedAt('computeOptimizer')).toBe(1);
  expect(plannedAt('costOptimizationHub')).toBeNull();
});

it('A follow-up was planned with the change that it waited for', () => {
  const { sends, plannedAt } = tracker();
  sends('scanner-1', 'computeOptimizer');
  sends('worker-2', 'automation');
  expect(plannedAt('automation')).toBe(1);
});

it('A follow-up of a change that an event led to is not planned', () => {
  const { sends, plannedAt } = tracker();
  sends('reactor-1', 'computeOptimizer');
  sends('tick-2', 'automation');
  expect(plannedAt('automation')).toBeNull();
});
