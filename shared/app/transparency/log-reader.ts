import { headOf, type LedgerEntry } from '../../domain/ledger/entry.ts';
import { logEntry } from '../../domain/ledger/log-entry.ts';
import { checkpointInNote, type LogCheckpoint } from '../../domain/transparency/checkpoint.ts';
import { MalformedError, UnprovenError } from '../../domain/transparency/errors.ts';
import { leafHash } from '../../domain/transparency/hash.ts';
import type { TileId } from '../../domain/transparency/tiles.ts';
import { writeProof } from '../../domain/transparency/tlog-proof.ts';
import { inclusionProof, type NodeSource } from '../../domain/transparency/tree.ts';
import { verifyInclusion } from '../../domain/transparency/verify-proof.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import { readTyped } from '../coordination/typed-register.ts';
import { findIndex } from './chain-places.ts';
import { LOG } from './log-documents.ts';
import { storedBundle, storedNodes, storedTile } from './stored-tree.ts';

/** A checkpoint of the transparency log that the audit log has; its signatures are not verified. */
export interface PublishedCheckpoint extends Pick<LogCheckpoint, 'origin' | 'size' | 'root'> {
  /** The signed note. */
  readonly note: string;
  /** When it was published, ISO 8601. */
  readonly at: string;
  /** The id of its `CheckpointPublished`. */
  readonly entryId: string;
}

interface EntryProof {
  readonly proof: string;
  readonly index: number;
  readonly checkpoint: PublishedCheckpoint;
}

/** Reads the transparency log of a store. Reads only; nothing that it returns needs trust, because the caller verifies signatures and proofs. */
export interface LogReader {
  /** Name and size of the log; `null`: the store has no log yet. */
  log(): Promise<{ readonly id: string; readonly size: number } | null>;

  /** `null`: none was published yet. @throws MalformedError if it cannot be read */
  newestCheckpoint(): Promise<PublishedCheckpoint | null>;

  /**
   * Those that were published from `since` on and before `until` (ISO 8601; `null`: no bound), oldest first. Verification reports entries whose
   * checkpoint cannot be read, so they are left out here.
   */
  checkpoints(since: string | null, until: string | null): Promise<readonly PublishedCheckpoint[]>;

  /** The index of an entry in the log, also of one that was pruned; `null`: it is not in the log yet. */
  indexOf(chain: string, seq: number): Promise<number | null>;

  /**
   * The proof that the newest checkpoint of the present log covers the entry (C2SP tlog-proof).
   * @throws NotYetProvableError if no checkpoint covers the entry
   * @throws UnprovenError if the log has another entry in its place
   */
  proofOf(entry: LedgerEntry): Promise<EntryProof>;

  /** The hashes of the first `size` entries, for proofs between checkpoints. */
  nodes(size: number): NodeSource;

  /** The content of a tile (C2SP tlog-tiles). */
  tile(tile: TileId): Promise<Uint8Array>;

  /** The first `width` entries of bundle `index` (C2SP tlog-tiles). */
  bundle(index: number, width: number): Promise<Uint8Array>;
}

/**
 * - `notInLog`: the log does not have the entry yet; the next maintenance run appends it.
 * - `notCovered`: no checkpoint covers the entry; the next checkpoint will.
 */
export class NotYetProvableError extends Error {
  override readonly name = 'NotYetProvableError';
  readonly reason: 'notInLog' | 'notCovered';

  constructor(reason: NotYetProvableError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface LogStores {
  readonly ledger: Pick<Ledger, 'query'>;
  readonly registers: Pick<Registers, 'read'>;
}

const PAGE = 200;

export function logReader({ ledger, registers }: LogStores): LogReader {
  return {
    async log() {
      const found = await readTyped(registers, LOG);
      return found === null ? null : { id: found.value.id, size: found.value.size };
    },
    newestCheckpoint: () => newestCheckpoint({ ledger }),
    checkpoints: (since, until) => checkpointsBetween({ ledger }, since, until),
    indexOf: (chain, seq) => findIndex(registers, chain, seq),
    proofOf: (entry) => proofUnder({ ledger, registers }, entry),
    nodes: (size) => storedNodes(registers, size),
    tile: (tile) => storedTile(registers, tile),
    bundle: (index, width) => storedBundle(registers, index, width),
  };
}

/** The newest checkpoint in the audit log; `null`: none. */
export async function newestCheckpoint({ ledger }: Pick<LogStores, 'ledger'>): Promise<PublishedCheckpoint | null> {
  const { entries } = await ledger.query({ type: 'CheckpointPublished' }, { limit: 1 });
  return entries.flatMap(checkpointIn)[0] ?? null;
}

async function checkpointsBetween(
  { ledger }: Pick<LogStores, 'ledger'>,
  since: string | null,
  until: string | null,
): Promise<readonly PublishedCheckpoint[]> {
  const filter = {
    type: 'CheckpointPublished',
    ...(since !== null && { since }),
    ...(until !== null && { until }),
  } as const;
  const found: PublishedCheckpoint[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<Ledger['query']>> = await ledger.query(filter, {
      limit: PAGE,
      cursor,
      order: 'oldestFirst',
    });
    found.push(...page.entries.flatMap(readableIn));
    if (page.next === null) return found;
    cursor = page.next;
  }
}

/** The checkpoint of an entry; empty: the entry has none. @throws MalformedError if it was not written by Rollcall */
function checkpointIn({ id, at, chain, seq, detail }: LedgerEntry): readonly PublishedCheckpoint[] {
  const note = detail?.treeHead?.note;
  if (note === undefined) return [];
  try {
    const { origin, size, root } = checkpointInNote(note);
    return [{ note, at, entryId: id, origin, size, root }];
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new MalformedError(`entry ${seq} of ${chain}`, `its checkpoint cannot be read (${error.message})`);
  }
}

function readableIn(entry: LedgerEntry): readonly PublishedCheckpoint[] {
  try {
    return checkpointIn(entry);
  } catch (error) {
    if (error instanceof MalformedError) return [];
    throw error;
  }
}

/** Checkpoints that are tried for a proof. The newest is enough, unless a process published it while a backup replaced the store. */
const TRIED = [1, 20] as const;

async function proofUnder({ ledger, registers }: LogStores, entry: LedgerEntry): Promise<EntryProof> {
  const { chain, seq } = entry;
  const [index, log] = await Promise.all([findIndex(registers, chain, seq), readTyped(registers, LOG)]);
  if (index === null) {
    throw new NotYetProvableError('notInLog', `Entry ${seq} of ${chain} is not in the transparency log yet.`);
  }
  let failure: UnprovenError | null = null;
  for (const limit of TRIED) {
    const { entries } = await ledger.query({ type: 'CheckpointPublished' }, { limit });
    const covering = entries
      .flatMap(limit === 1 ? checkpointIn : readableIn)
      .filter(({ size }) => index < size && size <= (log?.value.size ?? 0));
    for (const checkpoint of covering) {
      const proof = await tried(registers, entry, index, checkpoint);
      if (!(proof instanceof UnprovenError)) return { proof, index, checkpoint };
      failure ??= proof;
    }
  }
  throw failure ?? new NotYetProvableError('notCovered', `No checkpoint covers entry ${seq} of ${chain} yet.`);
}

/** The proof under one checkpoint, or why it does not prove the entry. */
async function tried(
  registers: Pick<Registers, 'read'>,
  entry: LedgerEntry,
  index: number,
  checkpoint: PublishedCheckpoint,
): Promise<string | UnprovenError> {
  const path = await inclusionProof(index, checkpoint.size, storedNodes(registers, checkpoint.size));
  try {
    verifyInclusion({ leaf: leafHash(logEntry(entry.chain, headOf(entry))), index, path }, checkpoint);
  } catch (error) {
    if (error instanceof UnprovenError) return error;
    throw error;
  }
  return writeProof({ index, path, checkpoint: checkpoint.note, extra: null });
}
