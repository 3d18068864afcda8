import { mapParallel } from '../../domain/map-parallel.ts';
import { equalBytes, leafHash } from '../../domain/transparency/hash.ts';
import { TILE_WIDTH } from '../../domain/transparency/tiles.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';
import { readTyped, type Typed, writeTyped } from '../coordination/typed-register.ts';
import {
  type Bundle,
  bundleDocument,
  bytesOf,
  EMPTY_BUNDLE,
  entriesOf,
  extended,
  type LoggedEntry,
  lengthOf,
  readBundle,
  toStored,
} from './bundle.ts';
import { advanceChain, type Stretch } from './chain-places.ts';
import { type ChainState, LOG, LogReplacedError, type LogState } from './log-documents.ts';
import type { NewEntries, NewEntry } from './new-entries.ts';
import { completeBundle } from './stored-tree.ts';

/*
 * The end of the log, where entries are appended. Each step, in this order:
 *
 *   1 log-bundle/<n>     compare-and-set, which alone fixes the order of the log
 *   2 log-chain/<chain>  moves forward only
 *   3 log-tile/…         when the bundle is full
 *   4 log                the size, moves forward only
 *
 * Steps 2 to 4 follow from the bundle. A process that finds a bundle longer than the size repeats them, so a crash between two steps, or two processes
 * at the same time, cannot fork the log. Each of them checks between its read and its write that the bundle is still there: a backup may replace the
 * store at any moment, and what follows from a lost bundle must not be written into it. A register that does not exist has no version that a restore
 * would change. So a new bundle and a new chain are first written empty, and their content follows after the check.
 *
 * A backup that was made between two steps has the bundle, but not what follows from it. So the register of step 4 is read before step 2: if a restore
 * comes in between, step 4 fails, and the steps begin again.
 */

const PARALLEL = 16;

type KnownChains = Map<string, Typed<ChainState> | null>;
type LogEnd = Pick<LogState, 'size' | 'runEnd'>;

interface TailStores {
  readonly registers: Registers;
  readonly ledger: Pick<Ledger, 'readStored'>;
}

export class LogTail {
  readonly #registers: Registers;
  readonly #ledger: Pick<Ledger, 'readStored'>;
  #size: number;
  /** The partial bundle at the end; `null`: the log ends with a full one. */
  #bundle: Typed<Bundle> | null = null;
  /** The version of the last full bundle, which only a restore changes; `null`: there is none. */
  #full: string | null = null;

  private constructor({ registers, ledger }: TailStores, size: number) {
    this.#registers = registers;
    this.#ledger = ledger;
    this.#size = size;
  }

  /**
   * Opens the log at its end, and completes an interrupted step.
   * @param log its state as last read
   * @throws DamagedRegisterError, or LogReplacedError if the log does not exist any more
   */
  static async open(stores: TailStores, log: Pick<LogState, 'size'>): Promise<LogTail> {
    const tail = new LogTail(stores, log.size);
    for (;;) {
      const found = await tail.#readEnd();
      // In this order: if a restore comes in between, the version of the bundle is gone, and no entry is appended.
      const current = await readTyped(stores.registers, LOG);
      if (current === null) throw new LogReplacedError();
      const { size } = current.value;
      if (size !== tail.#size) {
        tail.#size = size;
        continue;
      }
      const has = found === null ? 0 : lengthOf(found.value);
      const expected = size % TILE_WIDTH;
      if (has < expected) {
        const { name } = bundleDocument(tail.#index);
        throw new DamagedRegisterError(name, `it has ${has} entries, and the log ${expected}`);
      }
      if (found === null || has === expected) return tail;
      await tail.#complete(found, new Map(), 0);
    }
  }

  /** Reads the partial bundle at the end; `null`: there is none. */
  async #readEnd(): Promise<Typed<Bundle> | null> {
    const index = this.#index;
    this.#bundle = await readBundle(this.#registers, index);
    this.#full = this.#bundle === null && index > 0 ? await versionOfFull(this.#registers, index - 1) : null;
    return this.#bundle;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends all of these entries. @returns `false`: another process was faster, so only a part of them, or none, was appended */
  async append(news: readonly NewEntries[]): Promise<boolean> {
    const known: KnownChains = new Map(news.map((each) => [each.chain, each.known]));
    const entries = news.flatMap((each) => each.entries);
    for (let at = 0; at < entries.length; ) {
      const taken = entries.slice(at, at + TILE_WIDTH - (this.#size % TILE_WIDTH));
      if (!(await this.#step(taken, known))) return false;
      at += taken.length;
    }
    return true;
  }

  get #index(): number {
    return Math.floor(this.#size / TILE_WIDTH);
  }

  async #step(taken: readonly NewEntry[], known: KnownChains): Promise<boolean> {
    const before = this.#bundle ?? (await this.#newBundle(taken));
    if (before === null) return false;
    const bundle = extended(before.value, taken);
    const version = await writeTyped(this.#registers, bundleDocument(this.#index), toStored(bundle), before.version);
    if (version === null) return false;
    const end = taken.findLastIndex(({ type }) => type === 'ScanCompleted');
    await this.#complete({ value: bundle, version }, known, end === -1 ? 0 : this.#size + end + 1);
    return true;
  }

  /**
   * An empty bundle, whose version fails the next write if a backup replaces the store before it.
   * @returns `null`: another process was faster
   * @throws LogReplacedError if a backup has replaced the store since the entries were read
   */
  async #newBundle(taken: readonly NewEntry[]): Promise<Typed<Bundle> | null> {
    const version = await writeTyped(this.#registers, bundleDocument(this.#index), toStored(EMPTY_BUNDLE), null);
    if (version === null) return null;
    // The log of the backup may end earlier.
    if (this.#index > 0) await this.#requireFull(this.#index - 1);
    // The last entry of a chain is enough, because it has the hash of the one before.
    const lasts = new Map(taken.map((entry) => [entry.chain, entry]));
    await mapParallel([...lasts.values()], PARALLEL, async (entry) => {
      if (!(await this.#has(entry))) throw new LogReplacedError();
    });
    return { value: EMPTY_BUNDLE, version };
  }

  /** Whether the audit log has the entry. A pruned entry is recognized by the next one, which has its hash. */
  async #has({ chain, seq, hash, type }: NewEntry): Promise<boolean> {
    const [stored] = await this.#ledger.readStored(chain, type === null ? seq : seq - 1, 1);
    const found = stored?.entry;
    if (type === null) return found?.seq === seq + 1 && found.prevHash === hash;
    return found?.seq === seq && found.hash === hash;
  }

  /** @throws LogReplacedError if a backup has replaced the last full bundle since the log was opened */
  async #requireFull(index: number): Promise<void> {
    const version = await versionOfFull(this.#registers, index);
    if (version === null || version !== this.#full) throw new LogReplacedError();
  }

  /** Steps 2 to 4 for the entries that the bundle has beyond the size. Repeats them if the log changes in the meantime. */
  async #complete(bundle: Typed<Bundle>, known: KnownChains, runEnd: number): Promise<void> {
    const index = this.#index;
    const entries = entriesOf(bundle.value);
    const size = index * TILE_WIDTH + entries.length;
    const stretches = stretchesOf(entries.slice(this.#size % TILE_WIDTH), this.#size);
    const requireBundle = (): Promise<void> => this.#requireBundle(index, bundle.value);
    const full = entries.length === TILE_WIDTH;
    for (;;) {
      const log = await this.#readLog(requireBundle);
      await mapParallel([...stretches], PARALLEL, async ([chain, added]) => {
        const advance = { chain, stretches: added, known: known.get(chain), requireBundle };
        known.set(chain, await advanceChain(this.#registers, advance));
      });
      if (full) {
        const leaves = entries.map((entry) => leafHash(bytesOf(entry)));
        await completeBundle(this.#registers, { index, leaves }, requireBundle);
      }
      if (await this.#noteSize(log, { size, runEnd })) break;
      // A restore may have undone what was written to the chains.
      for (const chain of stretches.keys()) known.delete(chain);
    }
    this.#size = size;
    this.#bundle = full ? null : bundle;
    if (full) this.#full = bundle.version;
  }

  async #readLog(requireBundle: () => Promise<void>): Promise<Typed<LogState>> {
    const log = await readTyped(this.#registers, LOG);
    await requireBundle();
    if (log === null || log.value.size < this.#size) throw new LogReplacedError();
    return log;
  }

  /** @returns `false`: the log has changed since it was read */
  async #noteSize({ value, version }: Typed<LogState>, { size, runEnd }: LogEnd): Promise<boolean> {
    const next = { ...value, size: Math.max(value.size, size), runEnd: Math.max(value.runEnd, runEnd) };
    return (await writeTyped(this.#registers, LOG, next, version)) !== null;
  }

  /** @throws LogReplacedError if the bundle no longer begins with these entries */
  async #requireBundle(index: number, { hashes }: Bundle): Promise<void> {
    const found = (await readBundle(this.#registers, index))?.value.hashes.subarray(0, hashes.length);
    if (found === undefined || !equalBytes(found, hashes)) throw new LogReplacedError();
  }
}

/** `null`: the bundle is not full. */
async function versionOfFull(registers: Pick<Registers, 'read'>, index: number): Promise<string | null> {
  const found = await readBundle(registers, index);
  return found !== null && lengthOf(found.value) === TILE_WIDTH ? found.version : null;
}

/** Whether no step was interrupted. */
export async function isAtEnd(registers: Pick<Registers, 'read'>, { size }: Pick<LogState, 'size'>): Promise<boolean> {
  const found = await readBundle(registers, Math.floor(size / TILE_WIDTH));
  return (found === null ? 0 : lengthOf(found.value)) === size % TILE_WIDTH;
}

/** Runs of consecutive numbers and indexes, by chain. */
function stretchesOf(entries: readonly LoggedEntry[], from: number): ReadonlyMap<string, readonly Stretch[]> {
  const byChain = new Map<string, Stretch[]>();
  for (const [at, entry] of entries.entries()) {
    const index = from + at;
    const stretches = byChain.get(entry.chain) ?? [];
    byChain.set(entry.chain, stretches);
    const last = stretches.at(-1);
    const end = last?.entries.at(-1);
    const continues = last !== undefined && last.index + last.entries.length === index && end?.seq === entry.seq - 1;
    if (continues) last.entries.push(entry);
    else stretches.push({ index, entries: [entry] });
  }
  return byChain;
}
