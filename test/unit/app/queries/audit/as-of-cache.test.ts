import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../../../../../shared/adapters/embedded/store.ts';
import { makeNewId } from '../../../../../shared/adapters/system/ids.ts';
import { AsOfCache } from '../../../../../shared/app/queries/audit/as-of-cache.ts';
import { toIso } from '../../../../../shared/domain/time.ts';
import type { Ledger } from '../../../../../shared/ports/ledger.ts';
import { account, range, sealAll } from '../../../../contract/samples.ts';
import { HOST } from '../../../../support/host.ts';
import { manualClock } from '../../../../support/manual-clock.ts';

async function world() {
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-as-of-'));
  const clock = manualClock();
  const store = await openEmbeddedStore({ ...HOST, dataDir, clock, newId: makeNewId(clock) });
  onTestFinished(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  let readings = 0;
  const ledger: Ledger = {
    ...store.ledger,
    tails: (until) => {
      readings += 1;
      return store.ledger.tails(until);
    },
  };
  const append = (n: number) =>
    store.ledger.append(
      sealAll(
        account(n),
        range(1).map(() => ({ at: toIso(clock.now()) })),
      ),
    );
  await append(1);
  return { clock, ledger, append, readings: () => readings };
}

describe('how all accounts stood at a time', () => {
  test('is read once for many who ask, and again when there is a newer entry or it is a minute old', async () => {
    const { clock, ledger, append, readings } = await world();
    const cache = new AsOfCache(clock);
    const at = toIso(clock.now());
    const [first, second] = await Promise.all([cache.get(ledger, at), cache.get(ledger, at)]);
    expect(second).toBe(first);
    expect(await cache.get(ledger, at)).toBe(first);
    expect(readings()).toBe(1);
    await clock.advance(1_000);
    await append(2);
    await cache.get(ledger, at);
    expect(readings()).toBe(2);
    await clock.advance(60_000);
    await cache.get(ledger, at);
    expect(readings()).toBe(3);
  });

  test('is kept for few times, and never if it failed', async () => {
    const { clock, ledger, readings } = await world();
    const cache = new AsOfCache(clock);
    const times = range(5).map((n) => toIso(clock.now() + n));
    for (const at of times) await cache.get(ledger, at);
    expect(readings()).toBe(5);
    await cache.get(ledger, times[4] ?? '');
    expect(readings()).toBe(5);
    await cache.get(ledger, times[0] ?? '');
    expect(readings()).toBe(6);

    const own = new AsOfCache(clock);
    let broken = true;
    const failing: Ledger = {
      ...ledger,
      tails: (until) => {
        if (broken) throw new Error('the disk is gone');
        return ledger.tails(until);
      },
    };
    await expect(own.get(failing, times[0] ?? '')).rejects.toThrow('the disk is gone');
    broken = false;
    expect((await own.get(failing, times[0] ?? '')).pruned).toEqual([]);
  });
});
