import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { parseLogEntry } from '../../../domain/ledger/log-entry.ts';
import { readBundle } from '../../../domain/transparency/entry-bundle.ts';
import { hashesAt, leafTile, newTiles, TILE_WIDTH, type TileId, tilePath } from '../../../domain/transparency/tiles.ts';
import type { EvidenceLog, KnownCheckpoint } from './evidence-log.ts';
import { LoggedPlaces, type Place } from './logged-places.ts';

/** The period as the log has it. */
export interface LogPeriod {
  /** It proves all entries. */
  readonly newest: KnownCheckpoint;
  /** The checkpoint before the period, those of the period, and the newest one, oldest first. */
  readonly checkpoints: readonly KnownCheckpoint[];
  /**
   * Every entry that was added to the log between these two sizes is part of the evidence, unless retention has removed it. `null`: no checkpoint is older
   * than the period, so there is no lower bound.
   */
  readonly complete: { readonly from: number; readonly to: number } | null;
}

/** @param isFirst whether the store has no entry before the period @returns `null`: no checkpoint was published yet */
export async function logPeriod(
  log: EvidenceLog,
  { since, until }: { readonly since: string; readonly until: string },
  isFirst: boolean,
): Promise<LogPeriod | null> {
  const newest = await log.newestCheckpoint();
  if (newest === null) return null;
  const earlier = (await log.checkpoints(null, since)).at(-1) ?? null;
  const during = await log.checkpoints(since, until);
  const [after = newest] = await log.checkpoints(until, null);
  const checkpoints = new Map([earlier, ...during, after, newest].flatMap((each) => (each ? [[each.note, each]] : [])));
  const from = earlier?.size ?? (isFirst ? 0 : null);
  const complete = from === null ? null : { from, to: after.size };
  return { newest, checkpoints: [...checkpoints.values()], complete };
}

/** A file of the directory `log`. */
interface LogFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** The parts of the log that prove the chosen entries, read bundle by bundle. */
export class LogExcerpt {
  readonly #log: EvidenceLog;
  readonly period: LogPeriod;
  readonly #places: LoggedPlaces;
  /** Numbers of the leaf tiles that are needed. */
  readonly #tiles: Set<number>;

  private constructor(log: EvidenceLog, period: LogPeriod, places: LoggedPlaces) {
    this.#log = log;
    this.period = period;
    this.#places = places;
    // The root of a checkpoint needs the hashes of its last, partial tile.
    const partial = period.checkpoints.filter(({ size }) => size % TILE_WIDTH > 0);
    this.#tiles = new Set(partial.map(({ size }) => Math.floor(size / TILE_WIDTH)));
  }

  static async read(log: EvidenceLog, period: LogPeriod): Promise<LogExcerpt> {
    const { newest, complete } = period;
    const places = new LoggedPlaces();
    for (let at = Math.floor((complete?.from ?? 0) / TILE_WIDTH); at * TILE_WIDTH < newest.size; at += 1) {
      const width = widthOf(at, newest.size);
      const entries = readBundle(await log.bundle(at, width), width);
      for (const [n, bytes] of entries.entries()) places.add(parseLogEntry(bytes), at * TILE_WIDTH + n);
    }
    return new LogExcerpt(log, period, places);
  }

  /** The index of an entry that becomes part of the evidence; `null`: no checkpoint covers it. */
  async take(chain: string, seq: number): Promise<number | null> {
    // If clocks differ, the log may have an entry of the period before the checkpoint that precedes the period.
    const index = this.#places.take(chain, seq) ?? (await this.#log.indexOf(chain, seq));
    if (index === null || index >= this.period.newest.size) return null;
    this.#tiles.add(Math.floor(index / TILE_WIDTH));
    return index;
  }

  /** Whether the entry publishes the newest checkpoint. That checkpoint cannot cover it, and the next one may be a day away. */
  isPublication({ type, detail }: LedgerEntry): boolean {
    return type === 'CheckpointPublished' && detail?.treeHead?.note === this.period.newest.note;
  }

  /** The entries that completeness requires and that were not taken. */
  missing(): readonly Place[] {
    const { complete } = this.period;
    return complete === null ? [] : this.#places.missing(complete.from, complete.to);
  }

  /** The directory in the form of C2SP tlog-tiles. Leaf tiles and bundles without entries of the evidence are left out. */
  async *files(): AsyncGenerator<LogFile> {
    const { note, size } = this.period.newest;
    yield { name: 'log/checkpoint', content: new TextEncoder().encode(note) };
    for (const index of [...this.#tiles].sort((a, b) => a - b)) {
      const width = widthOf(index, size);
      const content = await this.#log.bundle(index, width);
      // Computed here, because the log would read the bundle again for it.
      yield { name: `log/${tilePath({ level: 0, index, width })}`, content: leafTile(readBundle(content, width)) };
      yield { name: `log/${tilePath({ level: null, index, width })}`, content };
    }
    for (const tile of newTiles(0, size)) if (tile.level > 0) yield await this.#tile(tile);
  }

  async #tile(tile: TileId): Promise<LogFile> {
    return { name: `log/${tilePath(tile)}`, content: await this.#log.tile(tile) };
  }
}

function widthOf(index: number, size: number): number {
  return Math.min(TILE_WIDTH, hashesAt(0, size) - index * TILE_WIDTH);
}
