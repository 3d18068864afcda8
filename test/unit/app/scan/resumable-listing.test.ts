import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { ScanProgress } from '../../../../shared/app/scan/checkpoint.ts';
import { replayingCloud } from '../../../../shared/app/scan/replaying-cloud.ts';
import { readListing } from '../../../../shared/app/survey/paged-listing.ts';
import type { Cloud, ListedEnrollment, Page } from '../../../../shared/ports/cloud.ts';
import { CALLER, HOUR, MEMBER, NOW, seen } from '../../../support/domain-kit.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { memoryCloud } from '../../../support/memory-cloud.ts';
import { withoutRetries } from '../../../support/without-retries.ts';

const item = (n: number): ListedEnrollment => ({
  accountId: String(300_000_000_000 + n),
  observed: { ...seen('Active') },
});

/** A cloud that returns these pages, one per call. */
function answering(pages: readonly Page<ListedEnrollment>[]): {
  readonly cloud: Cloud;
  readonly asked: (string | null)[];
} {
  const asked: (string | null)[] = [];
  const base = memoryCloud({ clock: manualClock(NOW), caller: CALLER, accounts: [MEMBER] });
  const list: Cloud['list'] = async (_kind, token) => {
    asked.push(token);
    return pages[asked.length - 1] ?? { items: [], nextToken: 'a' };
  };
  return { cloud: { ...base, list }, asked };
}

describe('a listing whose empty page returns the token that requested it', () => {
  const pages = [
    { items: [item(1)], nextToken: 'a' },
    { items: [], nextToken: 'a' },
    { items: [], nextToken: 'a' },
    { items: [item(2)], nextToken: null },
  ];

  it('continues, and another process replays the same responses', async () => {
    const registers = memoryRegisters();
    const checkpoint = await ScanProgress.load(registers, 'run-1');
    checkpoint.begunAt(NOW);
    const { cloud, asked } = answering(pages);
    const first = replayingCloud(
      cloud,
      checkpoint,
      () => true,
      () => NOW,
    );
    const listing = await readListing(
      (token) => first.list('computeOptimizer', token),
      withoutRetries,
      () => undefined,
    );
    expect([...listing.seen.keys()]).toEqual([item(1).accountId, item(2).accountId]);
    expect(asked).toEqual([null, 'a', 'a', 'a']);
    await checkpoint.save();

    const silent = answering([]);
    const again = replayingCloud(
      silent.cloud,
      await ScanProgress.load(registers, 'run-1'),
      () => false,
      () => NOW + HOUR,
    );
    const repeated = await readListing(
      (token) => again.list('computeOptimizer', token),
      withoutRetries,
      () => undefined,
    );
    expect(repeated.seen).toEqual(listing.seen);
    expect(silent.asked).toEqual([]);
  });

  it('is replayed from a checkpoint of version 0.1.0', async () => {
    const checkpoint = await ScanProgress.load(memoryRegisters(), 'run-1');
    const { accountId: id, observed } = item(1);
    checkpoint.put('computeOptimizer/1//0', { items: [item(1)], nextToken: 'a', leftOut: [] });
    checkpoint.put('computeOptimizer/1/a/0', { items: [], nextToken: null, leftOut: [] });
    checkpoint.put(`automation#${id}`, observed);
    const refusal = { message: 'no', kind: 'Denied', code: 'AccessDenied', service: 'sts', operation: 'AssumeRole' };
    checkpoint.put(`refused/computeOptimizer#${id}`, refusal);
    const { cloud, asked } = answering([]);
    const replaying = replayingCloud(
      cloud,
      checkpoint,
      () => false,
      () => NOW,
    );
    expect(await replaying.list('computeOptimizer', null)).toMatchObject({ items: [item(1)], nextToken: 'a' });
    expect(await replaying.list('computeOptimizer', 'a')).toMatchObject({ items: [], nextToken: null });
    expect(await replaying.read('automation', id)).toEqual(observed);
    await expect(replaying.read('computeOptimizer', id)).rejects.toMatchObject({ details: { code: 'AccessDenied' } });
    expect(asked).toEqual([]);
  });

  it('is replayed with the sources of the rule modes, the OUs and the configurations', async () => {
    const registers = memoryRegisters();
    const checkpoint = await ScanProgress.load(registers, 'run-1');
    checkpoint.begunAt(NOW);
    const source = { type: 'inherited', targetId: 'ou-abcd-abcdefgh' } as const;
    const items = [{ ...item(1), ruleModeSource: source }, { ...item(2), ruleModeSource: null }, item(3)];
    const { cloud } = answering([{ items, nextToken: null }]);
    const send = await cloud.configurations.preparePut({ type: 'account', id: MEMBER.id }, 'AnyAllowed', 'token');
    await send();
    const options = { retry: withoutRetries };
    const first = replayingCloud(
      cloud,
      checkpoint,
      () => true,
      () => NOW,
    );
    expect((await first.list('automation', null)).items).toEqual(items);
    const units = await first.readUnits(options);
    const configurations = await first.configurations.list(options);
    expect(configurations).toEqual([{ target: { type: 'account', id: MEMBER.id }, ruleMode: 'AnyAllowed' }]);
    await checkpoint.save();

    const later = memoryCloud({ clock: manualClock(NOW), caller: CALLER, accounts: [MEMBER] });
    const again = replayingCloud(
      later,
      await ScanProgress.load(registers, 'run-1'),
      () => false,
      () => NOW + HOUR,
    );
    expect((await again.list('automation', null)).items).toEqual(items);
    expect(await again.readUnits(options)).toEqual(units);
    expect(await again.configurations.list(options)).toEqual(configurations);
    expect(later.calls).toEqual([]);
  });

  it('ends as broken if it never advances', async () => {
    const { cloud } = answering([{ items: [item(1)], nextToken: 'a' }]);
    const listing = await readListing(
      (token) => cloud.list('computeOptimizer', token),
      withoutRetries,
      () => undefined,
    );
    expect(listing.brokenBy?.message).toContain('does not end: 1001 pages contained 1 item');
    expect(listing.seen.size).toBe(1);
  });
});
