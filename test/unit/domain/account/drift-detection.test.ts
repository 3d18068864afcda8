import { expect, it } from 'vitest';
import { withDetection } from '../../../../shared/domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../../../shared/domain/account/record.ts';
import { transition } from '../../../../shared/domain/account/transition.ts';
import type { Observation } from '../../../../shared/domain/enrollment/model.ts';
import { judged, MEMBER, NOW, policyOf, seen } from '../../../support/domain-kit.ts';

const HOUR = 3_600_000;
const CLOSED = 'windows: [{ kind: allow, cron: "0 9 * * *", duration: 1m, timezone: UTC }]';

/** An account whose entries are stored one by one, as in DynamoDB. A process may die between two of them. */
class Chain {
  record: AccountRecord = emptyRecord(MEMBER.id);
  now = NOW;
  readonly types: string[] = [];
  readonly #policy;

  constructor(settings?: string) {
    this.#policy =
      settings === undefined ? policyOf('computeOptimizer: Active') : policyOf('computeOptimizer: Active', settings);
  }

  assess(observation: Observation, maxEntries = Number.POSITIVE_INFINITY): void {
    const found = judged({
      ...{ facts: MEMBER, record: this.record, computeOptimizer: observation, policy: this.#policy, now: this.now },
    }).computeOptimizer;
    const context = { newId: () => 'id', now: this.now, actor: 'rollcall', runId: null, policyHash: this.#policy.hash };
    const draft = transition(context, this.record, found);
    const drafts = draft === null ? [] : withDetection(this.record, draft, context.newId);
    for (const each of drafts.slice(0, maxEntries)) {
      this.record = foldEntry(this.record, { ...each, seq: 0, prevHash: '', hash: '' });
      this.types.push(each.type);
    }
    this.now += 60_000;
  }
}

it('after a crash, the next assessment of a delayed drift records the reason without a second detection', () => {
  const chain = new Chain(CLOSED);
  chain.assess(seen('Inactive'), 1);
  const since = chain.record.conditions.computeOptimizer?.driftSince;
  chain.assess(seen('Inactive'));
  chain.assess(seen('Inactive'));
  expect(chain.types).toEqual(['DriftDetected', 'RemediationBlocked']);
  expect(chain.record.conditions.computeOptimizer).toMatchObject({
    verdict: 'Blocked',
    reason: 'window',
    driftSince: since,
  });
});

it.each([NOW, null])(
  'after a crash, the next assessment of an overdue Pending records Stalled (last updated %s)',
  (lastUpdated) => {
    const chain = new Chain();
    const pending = seen('Pending', { lastUpdated });
    chain.assess(pending);
    chain.now += 25 * HOUR;
    chain.assess(pending, 1);
    chain.assess(pending);
    expect(chain.types.slice(1)).toEqual(['DriftDetected', 'ConvergenceStalled']);
    expect(chain.record.conditions.computeOptimizer).toMatchObject({ verdict: 'Stalled', attempts: 1 });
  },
);

it('the reversion that makes an account contested is counted once', () => {
  const chain = new Chain();
  for (let n = 0; n < 2; n += 1) {
    chain.assess(seen('Active', { lastUpdated: chain.now }));
    chain.assess(seen('Inactive', { lastUpdated: chain.now }));
  }
  chain.assess(seen('Active', { lastUpdated: chain.now }));
  const before = chain.types.length;
  const third = seen('Inactive', { lastUpdated: chain.now });
  chain.assess(third, 1);
  chain.assess(third);
  chain.assess(third);
  expect(chain.types.slice(before)).toEqual(['DriftDetected', 'FlapDetected']);
  expect(chain.record.conditions.computeOptimizer?.setBacks).toHaveLength(3);
});
