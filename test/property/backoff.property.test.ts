import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOutcome } from '../../shared/app/reconciler/error-policy.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import { accountEntry, type EntryContext, facetOf, transition } from '../../shared/domain/account/transition.ts';
import { backoffMs, MAX_PAUSE_MS, stalledPollMs } from '../../shared/domain/enrollment/backoff.ts';
import { sealEntry } from '../../shared/domain/ledger/entry.ts';
import { HOUR, judged, MEMBER_ID, NOW, policyOf, seen } from '../support/domain-kit.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a retry delay', () => {
  it('grows, has jitter over its upper half, and is never longer than 6 hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), random, random, (attempt, one, other) => {
        const pause = backoffMs(attempt, () => one);
        expect(pause).toBeGreaterThanOrEqual(15_000);
        expect(pause).toBeLessThanOrEqual(MAX_PAUSE_MS);
        // Whatever the jitter, the next delay is not shorter, except at the maximum.
        const next = backoffMs(attempt + 1, () => other);
        expect(next).toBeGreaterThanOrEqual(Math.min(pause, MAX_PAUSE_MS / 2));
      }),
      { verbose: true },
    );
  });

  it('of an overdue Pending is between 7.5 minutes and 6 hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), random, (lasted, draw) => {
        const pause = stalledPollMs(lasted, () => draw);
        expect(pause).toBeGreaterThanOrEqual(7.5 * 60_000);
        expect(pause).toBeLessThanOrEqual(MAX_PAUSE_MS);
      }),
      { verbose: true },
    );
  });
});

const POLICIES = ['1h', '2h'].map((schedule) => policyOf('computeOptimizer: Active', `schedule: ${schedule}`));
const [POLICY = POLICIES[0], OTHER] = POLICIES;

const anyStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      draw: random,
      error: fc.constantFrom('Throttled', 'Transient', 'Denied', 'Prerequisite', 'Invalid'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 7 * HOUR }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lost' as const),
      draw: random,
      status: fc.constantFrom('Failed', 'Inactive'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'heal' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'policy' as const }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Walks the state machine of `shared/domain/enrollment/backoff.ts` with the functions that scans and workers use. */
class Walk {
  record: AccountRecord = { ...emptyRecord(MEMBER_ID), present: true };
  now = NOW;
  policy = POLICY ?? expect.fail('a policy');
  #ids = 0;

  context(draw = 0.5): EntryContext {
    const newId = () => `id-${this.#ids++}`;
    return { newId, now: this.now, actor: 'a', runId: 'r', policyHash: this.policy.hash, random: () => draw };
  }

  see(status: 'Active' | 'Inactive' | 'Failed', draw = 0.5) {
    const { record, now, policy } = this;
    const { computeOptimizer: found } = judged({ computeOptimizer: seen(status), record, now, policy });
    const draft = transition(this.context(draw), record, found);
    if (draft !== null) this.record = foldEntry(record, sealEntry(draft, record.head));
    return found;
  }

  get condition() {
    return this.record.conditions.computeOptimizer ?? expect.fail('nothing is known');
  }

  /** Whether a call would be made now. */
  get free(): boolean {
    const { verdict, action, notBefore } = this.see('Inactive');
    return verdict === 'Drifted' && action !== 'none' && (notBefore === null || notBefore <= this.now);
  }

  step(step: Step): void {
    const before = this.condition.attempts;
    switch (step.kind) {
      case 'wait':
        this.now += step.ms;
        return;
      case 'heal':
        // Rarely enough that the next drift is not contested.
        this.now += 13 * HOUR;
        this.see('Active');
        expect(this.condition).toMatchObject({ verdict: 'Compliant', attempts: 0, notBefore: null });
        return;
      case 'policy':
        this.policy = this.policy === POLICY ? (OTHER ?? this.policy) : (POLICY ?? this.policy);
        expect(this.free).toBe(true);
        return;
      case 'fail':
        if (this.free) this.#fail(step.error, step.draw);
        return;
      case 'lost':
        if (this.free) this.#lose(step.status, step.draw, before);
    }
  }

  #write(type: 'RemediationFailed' | 'RemediationSucceeded', after: ReturnType<typeof facetOf>): void {
    const draft = accountEntry(this.context(), type, MEMBER_ID, 'computeOptimizer', { after, reason: after.reason });
    this.record = foldEntry(this.record, sealEntry(draft, this.record.head));
  }

  #fail(kind: Parameters<typeof failureOutcome>[0]['kind'], draw: number): void {
    const { attempts } = this.condition;
    const found = this.see('Inactive');
    const outcome = failureOutcome({
      kind,
      enrollment: 'computeOptimizer',
      attempts,
      maxAttempts: 5,
      now: this.now,
      random: () => draw,
      lastUpdated: null,
    });
    this.#write('RemediationFailed', facetOf({ ...found, ...outcome }, outcome.attempts));
    expect(this.condition.attempts).toBe(attempts + 1);
    this.#checkPause();
  }

  /** The call is accepted but fails later. It counts, whether a scan or a worker detects it. */
  #lose(status: 'Failed' | 'Inactive', draw: number, attempts: number): void {
    const found = this.see('Inactive');
    const deadline = this.now + HOUR;
    const acted = { ...found, verdict: 'Converging', reason: 'acted', notBefore: null, deadline } as const;
    this.#write('RemediationSucceeded', facetOf(acted, attempts));
    this.now += HOUR;
    this.see(status, draw);
    expect(this.condition.attempts).toBe(attempts + 1);
    expect(this.condition.verdict).toBe(status === 'Failed' ? 'Drifted' : 'Stalled');
    this.#checkPause();
    if (status === 'Failed') return;
    // Stalled ends the attempt, but not the drift.
    expect(this.condition.driftSince).not.toBeNull();
    this.now = Date.parse(this.condition.notBefore ?? '');
    expect(this.free).toBe(true);
  }

  /** There is no call before `notBefore`, which is at most 6 hours away. */
  #checkPause(): void {
    const pause = Date.parse(this.condition.notBefore ?? '') - this.now;
    expect(pause).toBeGreaterThanOrEqual(15_000);
    expect(pause).toBeLessThanOrEqual(MAX_PAUSE_MS);
    const { now } = this;
    this.now += pause - 1;
    expect(this.free).toBe(false);
    this.now = now;
  }
}

describe('the retry delays of an account, across runs', () => {
  it('grow with each failure, prevent calls, and end with success, another policy, or their time', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
        const walk = new Walk();
        walk.see('Inactive');
        for (const step of steps) walk.step(step);
        // Every delay ends.
        walk.now += MAX_PAUSE_MS;
        expect(walk.free).toBe(true);
      }),
      { numRuns: 300, verbose: true },
    );
  });
});
