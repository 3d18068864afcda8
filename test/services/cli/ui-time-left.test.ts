import { describe, expect, test } from 'vitest';
import { TimeLeft } from '../../../services/cli/ui/time-left.ts';
import { workKey } from '../../../shared/app/plan/planned-work.ts';
import { account, range } from '../../contract/samples.ts';

/** How the simulated run goes. */
interface Course {
  /** Accounts in which Compute Optimizer is enabled, and the first of them in which Automation follows. */
  readonly now: number;
  readonly followUps: number;
  /** Started changes per second, at a time of the run in s. */
  readonly rate: (at: number) => number;
  /** How long AWS takes to confirm a change, s. */
  readonly confirmation: number;
}

const STEP_S = 0.1;

/** Simulates a run. @returns the estimates with the real time left, s, from a quarter of the changes on */
function estimates({
  now,
  followUps,
  rate,
  confirmation,
}: Course): { readonly estimate: number; readonly real: number }[] {
  const first = range(now).map((n) => workKey(account(n), 'computeOptimizer'));
  const later = range(followUps).map((n) => workKey(account(n), 'automation'));
  const keys = new Set([...first, ...later]);
  const left = new TimeLeft(keys, 0);
  const ready = [...first];
  const confirming: { readonly key: string; readonly at: number }[] = [];
  const seen: { readonly estimate: number; readonly at: number }[] = [];
  let [credit, finished, time] = [0, 0, 0];
  while (finished < keys.size) {
    time += STEP_S;
    const ms = time * 1_000;
    credit = Math.min(credit + rate(time) * STEP_S, Math.max(1, ready.length));
    for (; credit >= 1 && ready.length > 0; credit -= 1) {
      const key = ready.shift() ?? '';
      left.take(key, 'converging', ms);
      confirming.push({ key, at: time + confirmation });
    }
    while ((confirming[0]?.at ?? Number.POSITIVE_INFINITY) <= time) {
      const { key } = confirming.shift() ?? { key: '' };
      left.take(key, 'resolved', ms);
      finished += 1;
      const follow = key.replace('computeOptimizer', 'automation');
      if (follow !== key && keys.has(follow)) ready.push(follow);
    }
    if (finished >= keys.size / 4) seen.push({ estimate: (left.at(ms) ?? 0) / 1_000, at: time });
  }
  return seen.map(({ estimate, at }) => ({ estimate, real: time - at }));
}

/** The limiter starts low and grows until AWS throttles. */
const growing = (limit: number) => (at: number) => Math.min(limit, 0.5 + at / 4);

describe('the estimated time left is right within a third from a quarter of the changes on', () => {
  const courses: readonly (readonly [string, Course])[] = [
    ['a steady rate', { now: 290, followUps: 0, rate: () => 5, confirmation: 0 }],
    ['a steady rate with follow-ups', { now: 202, followUps: 88, rate: () => 5, confirmation: 0 }],
    ['a rate that grows all the time', { now: 400, followUps: 100, rate: growing(1_000), confirmation: 0 }],
    ['a rate that grows slowly', { now: 72, followUps: 35, rate: (at) => 0.5 + at / 10, confirmation: 0 }],
    ['a rate that grows up to a limit', { now: 400, followUps: 100, rate: growing(6), confirmation: 0 }],
    ['throttling from the start', { now: 72, followUps: 35, rate: (at) => (at % 4 < 2 ? 1 : 3), confirmation: 0 }],
    ['throttling after a fifth', { now: 400, followUps: 0, rate: (at) => (at < 10 ? 8 : 4), confirmation: 0 }],
    ['confirmations that take a minute', { now: 72, followUps: 35, rate: () => 10, confirmation: 60 }],
    [
      'confirmations that take a minute, without follow-ups',
      { now: 200, followUps: 0, rate: () => 1, confirmation: 60 },
    ],
    ['slow calls and slow confirmations', { now: 72, followUps: 35, rate: growing(3), confirmation: 10 }],
  ];

  test.each(courses)('%s', (_name, course) => {
    const all = estimates(course);
    expect(all.length).toBeGreaterThan(5);
    // The last seconds of a run are not worth more precision.
    const wrong = all.filter(({ estimate, real }) => Math.abs(estimate - real) > Math.max(2, real / 3));
    expect(wrong).toEqual([]);
  });
});
