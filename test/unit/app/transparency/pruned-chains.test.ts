import { describe, expect, it } from 'vitest';
import { pruneOld } from '../../../../shared/app/ledger/retention.ts';
import { findIndex, loggedThrough } from '../../../../shared/app/transparency/chain-places.ts';
import { ORGANIZATION_CHAIN } from '../../../../shared/domain/ledger/entry.ts';
import { account, anyEntry } from '../../../contract/samples.ts';
import { type LogBed, logBed, loggedEntries } from './log-bed.ts';

const A = account(1);
const DAY = 86_400_000;

const retentionDeps = ({ deps, stores }: LogBed) => ({ ...deps, records: stores.records });
const sequenced = ({ stores }: LogBed) => ({
  removable: (chain: string) => loggedThrough(stores.registers, chain),
});

describe('retention and the log', () => {
  it('keeps entries that the log does not have yet, however old they are', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.sequence();
    await bed.append(A, 3);
    await bed.clock.advance(3 * DAY);
    await pruneOld(retentionDeps(bed), DAY, sequenced(bed).removable);
    expect((await bed.stores.ledger.read(A, 0, 10)).map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
    const other = logBed();
    await other.append(A, 3);
    await other.clock.advance(3 * DAY);
    await pruneOld(retentionDeps(other), DAY, sequenced(other).removable);
    expect(await other.stores.ledger.read(A, 0, 10)).toHaveLength(3);
  });

  it('keeps the places of pruned entries', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.sequence();
    const before = await loggedEntries(bed.stores.registers);
    await bed.clock.advance(3 * DAY);
    await pruneOld(retentionDeps(bed), DAY, sequenced(bed).removable);
    await bed.sequence();
    const after = await loggedEntries(bed.stores.registers);
    expect(after.slice(0, 3)).toEqual(before);
    expect(after).toHaveLength(4);
    expect(await findIndex(bed.stores.registers, A, 1)).toBe(0);
  });

  it('begins a chain that was pruned before the log existed with its last pruned entry', async () => {
    const bed = logBed();
    for (const chain of [A, ORGANIZATION_CHAIN]) {
      const pruned = await bed.append(chain, 3);
      await bed.clock.advance(3 * DAY);
      await pruneOld(retentionDeps(bed), DAY, anyEntry);
      await bed.append(chain, 2);
      await bed.sequence();
      const logged = (await loggedEntries(bed.stores.registers)).filter((entry) => entry.includes(`\n${chain}\n`));
      expect(logged.map((entry) => Number(entry.split('\n')[2]))).toEqual([3, 4, 5, 6]);
      expect(logged[0]).toContain(pruned[2]?.hash ?? 'no third entry');
      expect(await findIndex(bed.stores.registers, chain, 2)).toBeNull();
    }
  });

  it('begins such a chain also if a crash interrupted the pruning', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.clock.advance(3 * DAY);
    const ledger = { ...bed.stores.ledger, prune: (chain: string) => bed.stores.ledger.prune(chain, 1, 10) };
    await pruneOld({ ...retentionDeps(bed), ledger }, DAY, anyEntry);
    expect((await bed.stores.ledger.read(A, 0, 10)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
    await bed.sequence();
    expect((await loggedEntries(bed.stores.registers)).map((entry) => Number(entry.split('\n')[2]))).toEqual([3, 4]);
  });

  it('leaves out a chain whose first entries are missing without a checkpoint', async () => {
    const bed = logBed();
    await bed.append(A, 3);
    await bed.stores.ledger.prune(A, 1, 10);
    const { log } = await bed.sequence();
    expect(log).toMatchObject({ size: 0, broken: [{ chain: A, seq: 2, problem: 'entry 2 follows entry 0' }] });
  });
});
