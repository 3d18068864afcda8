import { describe, expect, it } from 'vitest';
import { OutageDetector } from '../../../../shared/app/support/outage-detector.ts';
import type { Retrying } from '../../../../shared/app/support/retry.ts';
import { CloudError, type CloudErrorKind } from '../../../../shared/ports/cloud.ts';
import { manualClock } from '../../../support/manual-clock.ts';

function failure(kind: CloudErrorKind, requestId: string | null = null): CloudError {
  const facts = {
    kind,
    code: 'ECONNREFUSED',
    service: 's',
    operation: 'O',
    accountId: null,
    requestId,
    ambiguous: false,
  };
  return new CloudError('nothing answers', facts);
}

const onceOnly: Retrying = (call) => call();

function parts() {
  const clock = manualClock();
  const reach = new OutageDetector(clock);
  const call = reach.watching(onceOnly);
  const failing = async (times: number, error: Error) => {
    for (let n = 0; n < times; n += 1) await expect(call(() => Promise.reject(error))).rejects.toBe(error);
  };
  return { clock, reach, call, failing };
}

describe('AWS out of reach', () => {
  it('is told when many calls in a row found nobody, over long', async () => {
    const { clock, reach, failing } = parts();
    const since = clock.now();
    await failing(9, failure('Transient'));
    await clock.advance(40_000);
    expect(reach.lost).toEqual({ since, message: 'nothing answers' });
    expect(reach.gone.aborted).toBe(false);
    await failing(1, failure('Transient'));
    expect(reach.gone.aborted).toBe(true);
  });

  it('is not told after a moment, however many calls there were', async () => {
    const { clock, reach, failing } = parts();
    await failing(500, failure('Transient'));
    await clock.advance(29_000);
    await failing(500, failure('Transient'));
    expect(reach.gone.aborted).toBe(false);
  });

  it.each([
    ['an answer', null],
    ['a throttled answer', failure('Throttled', 'request')],
    ['an internal error of AWS’s', failure('Transient', 'request')],
    ['a refusal', failure('Denied', 'request')],
  ])('ends with %s', async (_what, error) => {
    const { clock, reach, call, failing } = parts();
    await failing(20, failure('Transient'));
    await clock.advance(29_000);
    if (error === null) expect(await call(async () => 7)).toBe(7);
    else await failing(1, error);
    expect(reach.lost).toBeNull();
    await clock.advance(5_000);
    await failing(20, failure('Transient'));
    expect(reach.gone.aborted).toBe(false);
  });

  it('does not follow from errors that are no calls', async () => {
    const { reach, failing } = parts();
    await failing(20, new Error('a closed window'));
    await failing(20, failure('Invalid'));
    expect(reach.lost).toBeNull();
  });
});
