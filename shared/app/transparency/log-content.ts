import { writeLogLeaf } from '../../domain/ledger/log-entry.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import { CompactTree } from '../../domain/transparency/compact-tree.ts';
import { MalformedError } from '../../domain/transparency/errors.ts';
import { foldSubtree, HASH_BYTES, type Hash } from '../../domain/transparency/hash.ts';
import { TILE_WIDTH } from '../../domain/transparency/tiles.ts';
import { DamagedRegisterError, type Registers } from '../../ports/registers.ts';
import type { Stores } from '../context.ts';
import { organizationOf } from '../coordination/organization-binding.ts';
import { readTyped } from '../coordination/typed-register.ts';
import { type Bundle, entriesOf, type LoggedEntry, readBundle } from './bundle.ts';
import { LOG, type LogState } from './log-documents.ts';
import { storedTile } from './stored-tree.ts';

/** The entries of one chain in the log: from `first` to `last`, without a gap. */
interface LoggedChain {
  readonly first: number;
  last: number;
  /** For each run of entries, the number of the first and its index in the log, in turn. */
  readonly places: number[];
  /** Where the last lookup ended in `places`; lookups go through a chain in order. */
  at: number;
}

interface LastEntry {
  readonly chain: string;
  readonly seq: number;
}

type LogStores = Pick<Stores, 'registers' | 'snapshots'>;

const PARALLEL = 16;
/** Levels of the tree from one level of tiles to the next. */
const TILE_LEVELS = 8;

/**
 * The whole log in memory, 32 bytes an entry and a little for each run. It is read once, in its order, and the tree is computed from the entries, so
 * no stored hash or size is trusted.
 */
export class LogContent {
  readonly id: string;
  /** The organization of the store; `null`: unknown. */
  readonly organizationId: string | null;
  /** The id of the latest `StoreRestored` when the log got its name; `null`: none. */
  readonly restoredBy: string | null;
  /** What is wrong with the stored log itself. */
  readonly problems: string[] = [];
  readonly #tree = new CompactTree();
  readonly #chains = new Map<string, LoggedChain>();
  /** The hashes of each bundle. */
  readonly #hashes: Buffer[] = [];
  /** The leaf hashes of one bundle, reused for every bundle. */
  readonly #leaves = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  readonly #roots = new Map<number, Hash>();
  readonly #wanted: ReadonlySet<number>;
  /** The indexes of the first entries of bundles that are appended entry by entry, because a wanted size may end within them. */
  readonly #cut: ReadonlySet<number>;
  /** Hashes of complete tiles, by level of the tile that has them. */
  readonly #complete = new Map<number, Hash[]>();

  private constructor({ id, restoredBy }: LogState, organizationId: string | null, sizes: Iterable<number>) {
    this.id = id;
    this.restoredBy = restoredBy;
    this.organizationId = organizationId;
    this.#wanted = new Set(sizes);
    this.#cut = new Set([...this.#wanted].map((size) => size - (size % TILE_WIDTH)));
    this.#noteRoot();
  }

  /** @param sizes those for which {@link rootAt} is needed. @returns `null`: the store has no log */
  static async read(stores: LogStores, sizes: Iterable<number>): Promise<LogContent | null> {
    const { registers } = stores;
    const log = (await readTyped(registers, LOG))?.value ?? null;
    if (log === null) return null;
    const content = new LogContent(log, await organizationOf(stores), sizes);
    await content.#readBundles(registers, log);
    await content.#compareTiles(registers);
    return content;
  }

  get size(): number {
    return this.#tree.size;
  }

  root(): Hash {
    return this.#tree.root();
  }

  /** The root of the first `size` entries; `null`: the log is shorter. @throws RangeError if this size was not asked for */
  rootAt(size: number): Hash | null {
    if (!this.#wanted.has(size)) throw new RangeError(`the root at size ${size} was not asked for`);
    return this.#roots.get(size) ?? null;
  }

  knowsRootAt(size: number): boolean {
    return this.#wanted.has(size);
  }

  /** The last entry of each chain in the log. */
  lasts(): readonly LastEntry[] {
    return [...this.#chains].map(([chain, { last }]) => ({ chain, seq: last }));
  }

  /** The last entry of a chain in the log; `null`: it has none. */
  lastOf(chain: string): LastEntry | null {
    const logged = this.#chains.get(chain);
    return logged === undefined ? null : { chain, seq: logged.last };
  }

  /** The entry at an index of the log. */
  entryAt(index: number): LastEntry | null {
    for (const [chain, { places, last }] of this.#chains) {
      for (let at = 0; at < places.length; at += 2) {
        const [seq = 0, from = 0, next = last + 1] = places.slice(at, at + 3);
        if (index >= from && index < from + (next - seq)) return { chain, seq: seq + (index - from) };
      }
    }
    return null;
  }

  /** The hash of an entry in the log; `null`: the log does not have the entry. Fast if the numbers of a chain are looked up in order. */
  hashOf(chain: string, seq: number): string | null {
    const logged = this.#chains.get(chain);
    if (logged === undefined || seq < logged.first || seq > logged.last) return null;
    const { places } = logged;
    if (seq < (places[logged.at] ?? 0)) logged.at = 0;
    while (seq >= (places[logged.at + 2] ?? Number.POSITIVE_INFINITY)) logged.at += 2;
    const index = (places[logged.at + 1] ?? 0) + (seq - (places[logged.at] ?? 0));
    const from = (index % TILE_WIDTH) * HASH_BYTES;
    return this.#hashes[Math.floor(index / TILE_WIDTH)]?.toString('hex', from, from + HASH_BYTES) ?? null;
  }

  async #readBundles(registers: Pick<Registers, 'read'>, { size }: Pick<LogState, 'size'>): Promise<void> {
    const count = Math.ceil(size / TILE_WIDTH);
    for (let at = 0; at < count; at += PARALLEL) {
      const indexes = Array.from({ length: Math.min(PARALLEL, count - at) }, (_, n) => at + n);
      const bundles = await mapParallel(indexes, PARALLEL, (index) => bundleOrNull(registers, index));
      for (const [n, bundle] of bundles.entries()) {
        const expected = Math.min(TILE_WIDTH, size - (at + n) * TILE_WIDTH);
        const entries = bundle === null ? [] : entriesOf(bundle).slice(0, expected);
        if (bundle !== null) this.#add(bundle, entries);
        if (entries.length === expected) continue;
        this.problems.push(`bundle ${at + n} of the log has ${entries.length} entries, and ${expected} were written`);
        return;
      }
    }
  }

  #add(bundle: Bundle, entries: readonly LoggedEntry[]): void {
    const { buffer, byteOffset, byteLength } = bundle.hashes;
    this.#hashes.push(Buffer.from(buffer, byteOffset, byteLength));
    const leaves = this.#leaves.subarray(0, entries.length * HASH_BYTES);
    let count = 0;
    for (const entry of entries) {
      this.#place(entry, this.#tree.size + count);
      writeLogLeaf(entry.chain, entry, leaves, count * HASH_BYTES);
      count += 1;
    }
    if (count === TILE_WIDTH && !this.#cut.has(this.#tree.size)) this.#append(foldSubtree(leaves), TILE_LEVELS);
    else for (let at = 0; at < leaves.length; at += HASH_BYTES) this.#append(leaves.slice(at, at + HASH_BYTES), 0);
  }

  #append(appended: Hash, of: number): void {
    for (const { level, hash } of this.#tree.append(appended, of)) {
      if (level > 0 && level % TILE_LEVELS === 0) this.#noteComplete(level / TILE_LEVELS, hash);
    }
    this.#noteRoot();
  }

  #noteComplete(level: number, hash: Hash): void {
    const hashes = this.#complete.get(level) ?? [];
    hashes.push(hash);
    this.#complete.set(level, hashes);
  }

  #noteRoot(): void {
    if (this.#wanted.has(this.#tree.size)) this.#roots.set(this.#tree.size, this.#tree.root());
  }

  #place({ chain, seq }: LoggedEntry, index: number): void {
    const known = this.#chains.get(chain);
    if (known === undefined) {
      this.#chains.set(chain, { first: seq, last: seq, places: [seq, index], at: 0 });
      return;
    }
    if (seq !== known.last + 1) {
      this.problems.push(`the log has entry ${seq} of ${chain} after entry ${known.last}`);
      return;
    }
    known.last = seq;
    const [lastSeq = 0, lastIndex = 0] = known.places.slice(-2);
    if (index - lastIndex !== seq - lastSeq) known.places.push(seq, index);
  }

  /** Proofs are made from the stored tiles. */
  async #compareTiles(registers: Pick<Registers, 'read'>): Promise<void> {
    for (const [level, hashes] of this.#complete) {
      for (let at = 0; at < hashes.length; at += TILE_WIDTH) {
        const own = Buffer.concat(hashes.slice(at, at + TILE_WIDTH));
        const tile = { level, index: at / TILE_WIDTH, width: own.length / HASH_BYTES };
        const stored = await orNull(() => storedTile(registers, tile));
        if (stored === null || !own.equals(stored))
          this.problems.push(`tile ${tile.index} at level ${level} does not have the hashes of the entries`);
      }
    }
  }
}

function bundleOrNull(registers: Pick<Registers, 'read'>, index: number): Promise<Bundle | null> {
  return orNull(async () => (await readBundle(registers, index))?.value ?? null);
}

/** A damaged register is a finding; the rest is verified nevertheless. */
async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DamagedRegisterError || error instanceof MalformedError) return null;
    throw error;
  }
}
