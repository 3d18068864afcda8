import type { LogCheckpoint } from '../../../domain/transparency/checkpoint.ts';
import type { TileId } from '../../../domain/transparency/tiles.ts';

/** A signed checkpoint of the transparency log, as it was published. Its signature is not verified. */
export interface KnownCheckpoint extends Pick<LogCheckpoint, 'origin' | 'size' | 'root'> {
  /** The signed note. */
  readonly note: string;
  /** When it was published, ISO 8601. */
  readonly at: string;
}

/** What evidence needs of the transparency log. */
export interface EvidenceLog {
  /** `null`: none was published yet. */
  newestCheckpoint(): Promise<KnownCheckpoint | null>;
  /** The checkpoints published from `since` on and before `until` (ISO 8601; `null`: no bound), oldest first. */
  checkpoints(since: string | null, until: string | null): Promise<readonly KnownCheckpoint[]>;
  /** The index of an entry in the log; `null`: it is not in the log yet. */
  indexOf(chain: string, seq: number): Promise<number | null>;
  /** The content of a tile (C2SP tlog-tiles). */
  tile(tile: TileId): Promise<Uint8Array>;
  /** The first `width` entries of bundle `index` (C2SP tlog-tiles). */
  bundle(index: number, width: number): Promise<Uint8Array>;
}
