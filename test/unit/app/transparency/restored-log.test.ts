import { describe, expect, it } from 'vitest';
import { Sequencer } from '../../../../shared/app/transparency/sequencer.ts';
import { account } from '../../../contract/samples.ts';
import type { MemoryBackup } from '../../../simulation/memory-stores.ts';
import { ENDLESS, expectWholeLog, type LogBed, logBed } from './log-bed.ts';

const A = account(1);
const B = account(2);
const C = account(3);

/** Before request `at` of the registers or the audit log, a backup replaces the store. */
function interrupted({ deps }: LogBed, at: number, restore: () => void) {
  let requests = 0;
  const watch = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          requests += 1;
          if (requests === at) restore();
          return Reflect.apply(value, target, args);
        };
      },
    });
  const watched = { ...deps, ledger: watch(deps.ledger), registers: watch(deps.registers) };
  return { deps: watched, reached: () => requests >= at };
}

function restore(backup: MemoryBackup): void {
  backup.restore((content) => ({ registers: new Map(content.registers()), drafts: [], report: null }));
}

interface Sizes {
  /** Entries in the log of the backup. */
  readonly before: number;
  /** Further entries of the backup, which its log does not have yet. */
  readonly behind: number;
  /** Entries that the backup lacks. */
  readonly lost: number;
}

/** @returns whether the run had that many requests */
async function restoredAt(at: number, { before, behind, lost }: Sizes) {
  const bed = logBed();
  if (before > 0) {
    await bed.append(A, before);
    await bed.sequence();
  }
  await bed.append(A, behind);
  if (behind > 0) await bed.append(B, 3);
  const backup = bed.stores.inside.backup();
  await bed.append(A, lost);
  if (lost > 0) await bed.append(B, 2);
  const { deps, reached } = interrupted(bed, at, () => restore(backup));
  await new Sequencer(deps).run(ENDLESS);
  if (!reached()) return false;
  // The chains continue with other entries than those that the restore removed.
  await bed.append(B, 1);
  await bed.append(A, 10);
  await bed.append(C, 1);
  await expectIntact(bed, at);
  return true;
}

describe('a restore while entries are appended', () => {
  it.each([
    { what: 'without a log', before: 0, behind: 0, lost: 3 },
    { what: 'with a log within a bundle, which becomes full', before: 250, behind: 0, lost: 10 },
    { what: 'with a log that was behind, within a bundle, which becomes full', before: 250, behind: 6, lost: 0 },
    { what: 'with a log that ends with a full bundle', before: 256, behind: 0, lost: 3 },
  ])('never mixes the two stores, at whichever request it comes: a backup $what', async (sizes) => {
    let at = 1;
    while (await restoredAt(at, sizes)) at += 1;
    expect(at).toBeGreaterThan(10);
  });
});

/** Keeps the log for two days after the restore. It must then have every entry of the store, and no other. */
async function expectIntact(bed: LogBed, at: number): Promise<void> {
  await bed.clock.advance(120_000);
  await bed.sequence();
  await bed.clock.advance(2 * 86_400_000);
  await bed.sequence();
  const { log } = await bed.sequence();
  expect(log.broken, `restored before request ${at}`).toEqual([]);
  await expectWholeLog(bed);
}

/** Restores a backup that lacks a chain, whose last pruned entry ends the first bundle. @returns whether the run made that many requests */
async function restoredBeforePruned(at: number) {
  const bed = logBed();
  await bed.append(A, 255);
  const backup = bed.stores.inside.backup();
  const second = (await bed.append(C, 3))[1] ?? expect.fail('no second entry');
  const through = { seq: 2, hash: second.hash };
  const checkpoint = { through, throughAt: second.at, state: null, current: null };
  await bed.append(C, 1, { type: 'ChainPruned', accountId: C, detail: { checkpoint } });
  await bed.stores.ledger.prune(C, 2, 10);
  const { deps, reached } = interrupted(bed, at, () => restore(backup));
  await new Sequencer(deps).run(ENDLESS);
  if (!reached()) return false;
  await bed.append(C, 5);
  await expectIntact(bed, at);
  return true;
}

describe('a restore while the last pruned entry of a chain is appended', () => {
  it('leaves nothing of a chain that the backup lacks, whichever request it precedes', async () => {
    let at = 1;
    while (await restoredBeforePruned(at)) at += 1;
    expect(at).toBeGreaterThan(10);
  });
});
