import { describe, expect, test } from 'vitest';
import { RecentEntries } from '../../../../services/api/live/recent-entries.ts';
import type { LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { toIso } from '../../../../shared/domain/time.ts';
import type { Ledger, LedgerFilter } from '../../../../shared/ports/ledger.ts';
import { account, range, sealAll } from '../../../contract/samples.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const AGE_MS = 500;
const everything = (): boolean => true;

/** A ledger in memory; `entries` can be added to. */
function place() {
  const clock = manualClock();
  const entries: LedgerEntry[] = [];
  const asked: LedgerFilter[] = [];
  const ledger: Pick<Ledger, 'query'> = {
    async query(filter, { limit, cursor }) {
      asked.push(filter);
      const from = Number(cursor ?? 0);
      const fitting = entries.filter(({ at }) => at >= (filter.since ?? '')).sort((a, b) => (a.at < b.at ? -1 : 1));
      const next = from + limit < fitting.length ? String(from + limit) : null;
      return { entries: fitting.slice(from, from + limit), next };
    },
  };
  let chains = 0;
  const add = (count: number, at = clock.now()): readonly string[] => {
    chains += 1;
    const parts = range(count).map((n) => ({ at: toIso(at), reason: `entry ${n}` }));
    const made = sealAll(account(chains), parts);
    entries.push(...made);
    return made.map(({ id }) => id);
  };
  return { clock, asked, add, recent: new RecentEntries(ledger, clock, AGE_MS) };
}

const idsOf = (found: Awaited<ReturnType<RecentEntries['since']>>) => found?.map(({ entry }) => entry.id) ?? null;

describe('the latest entries', () => {
  test('several streams share one query and its entries', async () => {
    const { clock, asked, add, recent } = place();
    await recent.since(clock.now(), everything);
    await clock.advance(AGE_MS);
    const ids = add(3);
    asked.length = 0;
    const found = await Promise.all(range(10).map(() => recent.since(clock.now() - 100, everything)));
    for (const each of found) expect(idsOf(each)).toEqual(ids);
    expect(found[0]?.[0]).toBe(found[9]?.[0]);
    expect(found[0]?.map(({ entry }) => JSON.stringify(entry))).toEqual(found[0]?.map(({ text }) => text));
    expect(asked).toHaveLength(1);
    add(1);
    expect(idsOf(await recent.since(clock.now() - 100, everything))).toEqual(ids);
    await clock.advance(AGE_MS);
    expect(await recent.since(clock.now() - AGE_MS - 100, everything)).toHaveLength(4);
    expect(asked).toHaveLength(2);
  });

  test('an entry of a process whose clock is behind is found, and no entry appears twice', async () => {
    const { clock, add, recent } = place();
    const begun = clock.now();
    const before = add(2);
    await recent.since(begun, everything);
    await clock.advance(1_000);
    const late = add(1, clock.now() - 1_500);
    await clock.advance(1_000);
    const after = add(1);
    await clock.advance(AGE_MS);
    const found = idsOf(await recent.since(begun - 2_000, everything)) ?? [];
    expect(found.toSorted()).toEqual([...before, ...late, ...after].toSorted());
  });

  test('a stream that resumes from long ago gets every entry since then', async () => {
    const { clock, add, recent } = place();
    const begun = clock.now();
    const ids: string[] = [];
    for (const _ of range(20)) {
      ids.push(...add(1));
      await clock.advance(1_000);
      await recent.since(clock.now() - 2_000, everything);
    }
    expect(idsOf(await recent.since(begun, everything))).toEqual(ids);
    expect(idsOf(await recent.since(begun, (id) => id !== ids[0]))).toEqual(ids.slice(1));
  });

  test('more than a thousand new entries are too many; later ones are found again', async () => {
    const { clock, add, recent } = place();
    const begun = clock.now();
    await recent.since(begun, everything);
    await clock.advance(1_000);
    add(1_001);
    await clock.advance(AGE_MS);
    expect(await recent.since(begun, everything)).toBeNull();
    const reloaded = clock.now();
    await clock.advance(5_000);
    const ids = add(2);
    await clock.advance(AGE_MS);
    expect(idsOf(await recent.since(reloaded, everything))).toEqual(ids);
  });
});
