import { describe, expect, it } from 'vitest';
import { isIndependent } from '../../../../shared/domain/rate-limit/throttling-cause.ts';

describe('the cause of throttling', () => {
  it.each([
    // 10 calls a second, with a few tokens left: the first sample alone suggests 14, which predicts no throttling at 12.6.
    { title: 'few answers', before: [13, 6, 26.1], after: [20, 5, 12.6] },
    { title: 'the share that a limit predicts', before: [40, 20, 40], after: [30, 5, 24] },
    { title: 'hardly any throttling at the lower rate', before: [100, 30, 100], after: [100, 3, 50] },
    { title: 'a share that grew a lot', before: [20, 1, 40], after: [20, 6, 20] },
    { title: 'more throttling than a random refusal explains', before: [40, 16, 40], after: [40, 16, 20] },
    {
      title: 'a first sample that an earlier version stored without its number of answers',
      before: [0, 0, 40],
      after: [20, 5, 20],
    },
  ] as const)('is a limit: $title', ({ before, after }) => {
    expect(isIndependent(sample(before), sample(after))).toBe(false);
  });

  it.each([
    { title: '5%', before: [40, 2, 40], after: [40, 2, 20] },
    { title: '10%', before: [20, 2, 100], after: [20, 2, 50] },
    { title: '30%', before: [40, 12, 40], after: [40, 12, 20] },
  ] as const)('is not the rate: $title are refused at any rate', ({ before, after }) => {
    expect(isIndependent(sample(before), sample(after))).toBe(true);
  });
});

function sample([answers, throttled, rate]: readonly [answers: number, throttled: number, rate: number]) {
  return { answers, throttled, rate };
}
