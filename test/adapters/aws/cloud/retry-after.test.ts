import { describe, expect, it } from 'vitest';
import { askedToWait } from '../../../../shared/adapters/aws/retry-after.ts';
import { createStoreRetry } from '../../../../shared/adapters/aws/store-retry.ts';
import { createRetrying } from '../../../../shared/app/support/retry.ts';
import { retryAfterMs } from '../../../../shared/domain/retry-after.ts';
import { failureOf } from '../../../contract/cloud-world.ts';
import { ACCOUNT, json, wireCloud } from './support.ts';

const NOW = Date.UTC(2026, 10, 2, 9);

/** A clock that only sleeping advances. */
function clock() {
  const time = { at: NOW };
  return {
    now: () => time.at,
    sleep: async (ms: number) => {
      time.at += ms;
    },
  };
}

describe('Retry-After', () => {
  it.each<[string | undefined, number | null]>([
    ['7', 7_000],
    [' 0 ', 0],
    ['99999999', 3_600_000],
    ['Mon, 02 Nov 2026 09:00:30 GMT', 30_000],
    ['Monday, 02-Nov-26 09:00:30 GMT', 30_000],
    ['Mon Nov  2 09:00:30 2026', 30_000],
    ['Fri, 02 Nov 2029 09:00:30 GMT', 3_600_000],
    ['Mon, 02 Nov 2026 08:59:59 GMT', null],
    ['Mon, 02 Nov 2026 09:00:30 +0100', null],
    ['2026-11-02T09:00:30Z', null],
    ['soon', null],
    ['-5', null],
    ['1.5', null],
    ['', null],
    [undefined, null],
  ])('%s', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

describe('an AWS answer with Retry-After', () => {
  const throttled = async (headers: Readonly<Record<string, string>>) => {
    const { cloud } = await wireCloud((_, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      json(response, 400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
    });
    return failureOf(cloud.read('computeOptimizer', ACCOUNT));
  };

  it('puts the delay into the error; a date is relative to the clock of the server', async () => {
    expect((await throttled({ 'Retry-After': '9' })).details.retryAfterMs).toBe(9_000);
    const dated = { Date: 'Fri, 02 Nov 2029 09:00:00 GMT', 'Retry-After': 'Fri, 02 Nov 2029 09:00:12 GMT' };
    expect((await throttled(dated)).details.retryAfterMs).toBe(12_000);
    expect((await throttled({})).details).not.toHaveProperty('retryAfterMs');
    expect(askedToWait({ $response: { headers: { 'retry-after': 'Fri, 02 Nov 2029 09:00:12 GMT' } } })).toBeNull();
    expect(askedToWait(null)).toBeNull();
  });

  it('delays the retry, up to the end of the budget', async () => {
    for (const [asked, budget, waited] of [
      ['9', 60_000, 9_000],
      ['600', 60_000, 60_000],
    ] as const) {
      const error = await throttled({ 'Retry-After': asked });
      const time = clock();
      const retrying = createRetrying(time, () => 0, budget);
      let calls = 0;
      const result = retrying(async () => {
        calls += 1;
        if (calls === 1) throw error;
        return time.now() - NOW;
      });
      if (waited < budget) expect(await result).toBe(waited);
      else await expect(result).rejects.toBe(error);
      expect(time.now() - NOW).toBe(waited);
    }
  });

  it('delays retries of the stores, up to their maximum pause', async () => {
    const time = clock();
    const error = Object.assign(new Error('throttled'), {
      ...{ name: 'ProvisionedThroughputExceededException', $fault: 'client', $metadata: {} },
      $response: { headers: { 'retry-after': '1' } },
    });
    let calls = 0;
    await createStoreRetry({ clock: time, random: () => 0 }).run('table t', 'GetItem', async () => {
      calls += 1;
      if (calls === 1) throw error;
    });
    expect(time.now() - NOW).toBe(1_000);
  });
});
