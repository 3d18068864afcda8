import { expect, it } from 'vitest';
import type { RunState } from '../../../../shared/app/coordination/run-store.ts';
import { mayBePlanned } from '../../../../shared/app/work-queue/planned-drift.ts';
import { toIso } from '../../../../shared/domain/time.ts';
import { condition, NOW } from '../../../support/domain-kit.ts';

const RUN: RunState = {
  ...{ runId: 'run-1', policyHash: 'policy', planHash: 'plan', approvedUntil: null, startedAt: NOW },
  ...{ accountsInScope: 1, planned: 1, failed: 0, stopped: null, uncovered: false, driftsUntil: null, calls: [] },
  unrecorded: null,
};
const at = (ms: number): string => toIso(NOW + ms);

it.each([
  ['began before the run was planned', at(-1), [], true],
  ['began after the run was planned', at(1), [], false],
  ['began before, and was reverted after that while its change was not confirmed', at(-1), [at(1)], false],
  ['was reverted before the run was planned', at(-1), [at(-1)], true],
  ['began after an earlier drift was reverted', at(1), [at(-5)], false],
])('a drift that %s', (_, driftSince, reversions, planned) => {
  const setBacks = reversions.map((time) => ({ at: time, by: null }));
  expect(mayBePlanned(RUN, condition({ driftSince, setBacks }))).toBe(planned);
});
