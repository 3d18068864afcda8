import { expect } from 'vitest';
import * as z from 'zod';
import { Sequencer, type SequencerDeps } from '../../../../shared/app/transparency/sequencer.ts';
import { storedNodes } from '../../../../shared/app/transparency/stored-tree.ts';
import {
  EMPTY_CHAIN,
  type EntryDraft,
  headOf,
  type LedgerEntry,
  sealEntry,
} from '../../../../shared/domain/ledger/entry.ts';
import { rootOf } from '../../../../shared/domain/transparency/tree.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { draft } from '../../../contract/samples.ts';
import { memoryStores } from '../../../simulation/memory-stores.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { NaiveTree } from '../../domain/transparency/naive-tree.ts';
import { toHex } from '../../domain/transparency/samples.ts';

export const ENDLESS = { until: Number.POSITIVE_INFINITY };

/** A store in memory, with chains that can be extended. */
export function logBed() {
  const clock = manualClock();
  const stores = memoryStores(clock);
  let ids = 0;
  const deps: SequencerDeps & { readonly actor: string } = {
    ...{ ledger: stores.ledger, registers: stores.registers, clock, actor: 'test' },
    newId: () => `ID${ids++}`,
  };
  const ends = new Map<string, LedgerEntry>();
  return {
    ...{ clock, stores, deps },
    ends,
    /** Appends entries to a chain, with the time of the clock. */
    async append(chain: string, count: number, fields: Partial<EntryDraft> = {}): Promise<readonly LedgerEntry[]> {
      const added: LedgerEntry[] = [];
      for (let n = 0; n < count; n += 1) {
        const head = await stores.ledger.head(chain);
        const at = new Date(clock.now()).toISOString();
        const last = added.at(-1);
        added.push(
          sealEntry(draft({ chain, at, reason: `${ids++}`, ...fields }), last === undefined ? head : headOf(last)),
        );
      }
      await stores.ledger.append(added);
      return added;
    },
    sequence: (over: Partial<SequencerDeps> = {}) => new Sequencer({ ...deps, ...over }).run(ENDLESS),
  };
}

export type LogBed = ReturnType<typeof logBed>;

/** Copies the store with its registers. @returns a function that puts the copy in the place of the store, without the merge of `rollcall restore` */
export async function copied({ stores }: Pick<LogBed, 'stores'>): Promise<() => void> {
  const registers = new Map((await stores.registers.list('')).map(({ name, value }) => [name, value]));
  const backup = stores.inside.backup();
  return () => void backup.restore(() => ({ registers, drafts: [], report: null }));
}

const stored = z.object({ runs: z.array(z.tuple([z.string(), z.number(), z.number()])), hashes: z.string() });

/** The entries of the log in its order, read from the stored bundles without code of the product. */
export async function loggedEntries(registers: Registers): Promise<readonly string[]> {
  const entries: string[] = [];
  for (let bundle = 0; ; bundle += 1) {
    const register = await registers.read(`log-bundle/${bundle}`);
    if (register === null) return entries;
    const { runs, hashes } = stored.parse(register.value);
    const bytes = Buffer.from(hashes, 'base64');
    let at = 0;
    for (const [chain, seq, count] of runs) {
      for (let n = 0; n < count; n += 1, at += 32) {
        entries.push(`rollcall-entry/v1\n${chain}\n${seq + n}\n${bytes.subarray(at, at + 32).toString('hex')}\n`);
      }
    }
    expect(at).toBe(bytes.length);
  }
}

/** The root of the first `size` entries, by a second implementation. */
export function naiveRoot(entries: readonly string[], size: number): string {
  return toHex(new NaiveTree(entries.slice(0, size).map((entry) => new TextEncoder().encode(entry))).mth(0, size));
}

/**
 * The log has every entry of every chain exactly once, in the order of its chain; the stored tree has the root that its entries give.
 * @returns the entries
 */
export async function expectWholeLog({ stores }: Pick<LogBed, 'stores'>): Promise<readonly string[]> {
  const entries = await loggedEntries(stores.registers);
  const log = await stores.registers.read('log');
  expect(log?.value).toMatchObject({ size: entries.length });
  const expected = [...stores.inside.chains].flatMap(([chain, all]) =>
    all.map(({ seq, hash }) => `rollcall-entry/v1\n${chain}\n${seq}\n${hash}\n`),
  );
  expect([...entries].sort()).toEqual(expected.sort());
  const last = new Map<string, number>();
  for (const entry of entries) {
    const [, chain = '', seq = ''] = entry.split('\n');
    expect(Number(seq)).toBe((last.get(chain) ?? EMPTY_CHAIN.seq) + 1);
    last.set(chain, Number(seq));
  }
  const root = toHex(await rootOf(entries.length, storedNodes(stores.registers, entries.length)));
  expect(root).toBe(naiveRoot(entries, entries.length));
  return entries;
}
