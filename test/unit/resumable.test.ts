import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../shared/adapters/embedded/memory-registers.ts';
import { Checkpoint } from '../../shared/app/checkpoint.ts';
import { readListing } from '../../shared/app/listing.ts';
import { resumable } from '../../shared/app/resumable.ts';
import type { Cloud, ListedEnrollment, Page } from '../../shared/ports/cloud.ts';
import { manualClock } from '../support/manual-clock.ts';
import { memoryCloud } from '../support/memory-cloud.ts';
import { CALLER, MEMBER, NOW, seen } from './kit.ts';

const item = (n: number): ListedEnrollment => ({
  accountId: String(300_000_000_000 + n),
  observed: { ...seen('Active') },
});

/** A cloud that answers these pages, one a call. */
function answering(pages: readonly Page<ListedEnrollment>[]): {
  readonly cloud: Cloud;
  readonly asked: (string | null)[];
} {
  const asked: (string | null)[] = [];
  const base = memoryCloud({ clock: manualClock(NOW), caller: CALLER, accounts: [MEMBER] });
  const listEnrollmentStatuses = async (token: string | null): Promise<Page<ListedEnrollment>> => {
    asked.push(token);
    return pages[asked.length - 1] ?? { items: [], nextToken: 'a' };
  };
  return { cloud: { ...base, listEnrollmentStatuses }, asked };
}

const bare = <T>(call: () => Promise<T>): Promise<T> => call();

describe('a listing whose empty page carries the token that it was asked by', () => {
  const pages = [
    { items: [item(1)], nextToken: 'a' },
    { items: [], nextToken: 'a' },
    { items: [], nextToken: 'a' },
    { items: [item(2)], nextToken: null },
  ];

  it('goes on where answers are remembered, and another process is given the same ones', async () => {
    const registers = memoryRegisters();
    const checkpoint = await Checkpoint.load(registers, 'run-1');
    const { cloud, asked } = answering(pages);
    const first = resumable(cloud, checkpoint, () => true);
    const listing = await readListing(
      (token) => first.listEnrollmentStatuses(token),
      bare,
      () => undefined,
    );
    expect([...listing.seen.keys()]).toEqual([item(1).accountId, item(2).accountId]);
    expect(asked).toEqual([null, 'a', 'a', 'a']);
    await checkpoint.save();

    const silent = answering([]);
    const again = resumable(silent.cloud, await Checkpoint.load(registers, 'run-1'), () => false);
    const repeated = await readListing(
      (token) => again.listEnrollmentStatuses(token),
      bare,
      () => undefined,
    );
    expect(repeated.seen).toEqual(listing.seen);
    expect(silent.asked).toEqual([]);
  });

  it('for ever ends as broken off, not never', async () => {
    const { cloud } = answering([{ items: [item(1)], nextToken: 'a' }]);
    const listing = await readListing(
      (token) => cloud.listEnrollmentStatuses(token),
      bare,
      () => undefined,
    );
    expect(listing.brokenBy?.message).toContain('empty pages in a row');
    expect(listing.seen.size).toBe(1);
  });
});
