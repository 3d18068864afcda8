import { describe, expect, it } from 'vitest';
import { Sequencer } from '../../../../shared/app/transparency/sequencer.ts';
import { account } from '../../../contract/samples.ts';
import type { MemoryBackup } from '../../../simulation/memory-stores.ts';
import { ENDLESS, expectWholeLog, type LogBed, logBed } from './log-bed.ts';

const A = account(1);
const B = account(2);
const C = account(3);
/** Longer than the lease of a killed process lasts. */
const LEASE_MS = 120_000;

/** @param before called before each request to the registers or the audit log, with its number */
function watched({ deps }: LogBed, before: (request: number) => void): LogBed['deps'] {
  let requests = 0;
  const watch = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          requests += 1;
          before(requests);
          return Reflect.apply(value, target, args);
        };
      },
    });
  return { ...deps, ledger: watch(deps.ledger), registers: watch(deps.registers) };
}

/** Before request `at`, a backup replaces the store. */
function interrupted(bed: LogBed, at: number, restore: () => void) {
  let isReached = false;
  const deps = watched(bed, (request) => {
    if (request !== at) return;
    isReached = true;
    restore();
  });
  return { deps, reached: () => isReached };
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

/** A process is killed before its request `killedAt`. @returns a backup made at that moment; `null`: the process made fewer requests */
async function backupOfInterrupted(bed: LogBed, killedAt: number): Promise<MemoryBackup | null> {
  const backups: MemoryBackup[] = [];
  const deps = watched(bed, (request) => {
    if (request < killedAt) return;
    if (backups.length === 0) backups.push(bed.stores.inside.backup());
    throw new Error('killed');
  });
  await new Sequencer(deps).run(ENDLESS).catch(() => undefined);
  await bed.clock.advance(LEASE_MS);
  return backups[0] ?? null;
}

/** Another process continues the interrupted run, and the backup replaces the store before request `at`. */
async function restoredInterrupted(killedAt: number, at: number): Promise<'restored' | 'not killed' | 'not restored'> {
  const bed = logBed();
  for (const chain of [A, B]) await bed.append(chain, 1);
  const backup = await backupOfInterrupted(bed, killedAt);
  if (backup === null) return 'not killed';
  const { deps, reached } = interrupted(bed, at, () => restore(backup));
  await new Sequencer(deps).run(ENDLESS);
  if (!reached()) return 'not restored';
  for (const chain of [A, B]) await bed.append(chain, 1);
  await bed.clock.advance(LEASE_MS);
  await expectIntact(bed, at);
  return 'restored';
}

describe('a restore of a backup that was made while entries were appended', () => {
  it('leaves no step incomplete, whichever request it comes before', async () => {
    const ends = new Set<string>();
    for (let killedAt = 1; !ends.has('not killed'); killedAt += 1) {
      for (let at = 1, end = ''; end !== 'not restored' && end !== 'not killed'; at += 1) {
        end = await restoredInterrupted(killedAt, at);
        ends.add(end);
      }
    }
    expect(ends).toEqual(new Set(['restored', 'not restored', 'not killed']));
  });
});

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
