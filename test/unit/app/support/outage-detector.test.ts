import { describe, expect, it } from 'vitest';
import { OutageDetector } from '../../../../shared/app/support/outage-detector.ts';
import type { Retrying } from '../../../../shared/app/support/retry.ts';
import { CloudError, type CloudErrorKind } from '../../../../shared/ports/cloud.ts';
import { manualClock } from '../../../support/manual-clock.ts';

function failure(kind: CloudErrorKind, requestId: string | null = null): CloudError {
  const details = {
    kind,
    code: 'ECONNREFUSED',
    service: 's',
    operation: 'O',
    accountId: null,
    requestId,
    ambiguous: false,
  };
  return new CloudError('nothing answers', details);
}

const onceOnly: Retrying = (call) => call();

function parts() {
  const clock = manualClock();
  const detector = new OutageDetector(clock);
  const call = detector.watching(onceOnly);
  const failing = async (times: number, error: Error) => {
    for (let n = 0; n < times; n += 1) await expect(call(() => Promise.reject(error))).rejects.toBe(error);
  };
  return { clock, detector, call, failing };
}

describe('an outage', () => {
  it('is detected after many consecutive unanswered calls over a long period', async () => {
    const { clock, detector, failing } = parts();
    const since = clock.now();
    await failing(9, failure('Transient'));
    await clock.advance(40_000);
    expect(detector.outage).toEqual({ since, message: 'nothing answers' });
    expect(detector.detected.aborted).toBe(false);
    await failing(1, failure('Transient'));
    expect(detector.detected.aborted).toBe(true);
  });

  it('is not detected within seconds, however many calls fail', async () => {
    const { clock, detector, failing } = parts();
    await failing(500, failure('Transient'));
    await clock.advance(29_000);
    await failing(500, failure('Transient'));
    expect(detector.detected.aborted).toBe(false);
  });

  it.each([
    ['an answer', null],
    ['a throttled answer', failure('Throttled', 'request')],
    ['an internal AWS error', failure('Transient', 'request')],
    ['a denial', failure('Denied', 'request')],
  ])('ends with %s', async (_what, error) => {
    const { clock, detector, call, failing } = parts();
    await failing(20, failure('Transient'));
    await clock.advance(29_000);
    if (error === null) expect(await call(async () => 7)).toBe(7);
    else await failing(1, error);
    expect(detector.outage).toBeNull();
    await clock.advance(5_000);
    await failing(20, failure('Transient'));
    expect(detector.detected.aborted).toBe(false);
  });

  it('is not caused by errors other than unanswered calls', async () => {
    const { detector, failing } = parts();
    await failing(20, new Error('a closed window'));
    await failing(20, failure('Invalid'));
    expect(detector.outage).toBeNull();
  });
});
