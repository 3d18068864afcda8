import { describe, expect, it } from 'vitest';
import { createRetrying } from '../../../../shared/app/support/retry.ts';
import { readListing } from '../../../../shared/app/survey/paged-listing.ts';
import type { ListedEnrollment, Page } from '../../../../shared/ports/cloud.ts';
import { seen } from '../../../support/domain-kit.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { accountId } from '../../../support/workshop.ts';

describe('a listing', () => {
  const at = (n: number, lastUpdated: number | null, status: 'Active' | 'Inactive' = 'Active'): ListedEnrollment => ({
    accountId: accountId(n),
    observed: seen(status, { lastUpdated }),
  });
  const retrying = createRetrying(manualClock(), () => 0, 1_000);
  const pages = (all: readonly (Page<ListedEnrollment> | Error)[]) => {
    let next = 0;
    return async (): Promise<Page<ListedEnrollment>> => {
      const page = all[next++];
      if (page === undefined) throw new Error('no further page');
      if (page instanceof Error) throw page;
      return page;
    };
  };
  const read = (all: readonly (Page<ListedEnrollment> | Error)[]) => readListing(pages(all), retrying, () => undefined);

  it('continues after an empty page with a token', async () => {
    const { seen: found, brokenBy } = await read([
      { items: [], nextToken: 'a' },
      { items: [at(1, 1)], nextToken: null },
    ]);
    expect([...found.keys()]).toEqual([accountId(1)]);
    expect(brokenBy).toBeNull();
  });

  it('keeps the newest of repeated items, and the later one if their timestamps are equal', async () => {
    const { seen: found } = await read([
      { items: [at(1, 5, 'Active'), at(2, null, 'Active'), at(3, 9, 'Active')], nextToken: 'a' },
      { items: [at(1, 3, 'Inactive'), at(2, null, 'Inactive'), at(3, 10, 'Inactive')], nextToken: null },
    ]);
    expect([1, 2, 3].map((n) => found.get(accountId(n))?.status)).toEqual(['Active', 'Inactive', 'Inactive']);
  });

  it('starts over once after a failed page, then ends as broken', async () => {
    const failure = cloudError('Invalid', 'InvalidParameterValueException');
    const whole = await read([
      { items: [at(1, 1)], nextToken: 'a' },
      failure,
      { items: [at(1, 1), at(2, 1)], nextToken: null },
    ]);
    expect(whole.brokenBy).toBeNull();
    expect(whole.seen.size).toBe(2);
    const half = await read([
      { items: [at(1, 1)], nextToken: 'a' },
      failure,
      { items: [at(1, 1)], nextToken: 'a' },
      failure,
    ]);
    expect(half.brokenBy).toBe(failure);
    expect(half.seen.size).toBe(1);
  });

  it('throws if the first page fails, or if credentials are rejected later', async () => {
    await expect(read([cloudError('Denied', 'AccessDenied')])).rejects.toThrow('AccessDenied');
    const refused = cloudError('Unauthenticated', 'ExpiredToken');
    await expect(read([{ items: [], nextToken: 'a' }, refused])).rejects.toThrow('ExpiredToken');
  });
});

describe('a listing whose tokens repeat', () => {
  it('is broken, whatever its pages contain', async () => {
    const tokens = ['A', 'B', 'C'];
    let pages = 0;
    const retrying = createRetrying(manualClock(), () => 0, 1_000);
    const listing = await readListing(
      async (): Promise<Page<ListedEnrollment>> => {
        pages += 1;
        const observed = seen('Active');
        return { items: [{ accountId: accountId(pages % 50), observed }], nextToken: tokens[pages % 3] ?? null };
      },
      retrying,
      () => undefined,
    );
    expect(listing.brokenBy?.message).toContain('a page token was repeated');
    // Two passes of the token cycle.
    expect(pages).toBeLessThan(12);
  });
});
