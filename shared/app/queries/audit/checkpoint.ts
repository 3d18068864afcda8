import * as z from 'zod';
import { logOrigin } from '../../../domain/ledger/log-origin.ts';
import { toIso } from '../../../domain/time.ts';
import { toBase64 } from '../../../domain/transparency/encoding.ts';
import { MalformedError } from '../../../domain/transparency/errors.ts';
import { keyIdText, parseNote } from '../../../domain/transparency/signed-note.ts';
import type { Stores } from '../../context.ts';
import { organizationOf } from '../../coordination/organization-binding.ts';
import { logStatus } from '../../transparency/checkpoint-state.ts';
import { logReader, newestCheckpoint, type PublishedCheckpoint } from '../../transparency/log-reader.ts';

/** A signed checkpoint for commands and the API. Nothing in it was verified, because that needs the public key. */
export const checkpointSchema = z.object({
  /** The signed note (C2SP tlog-checkpoint). */
  note: z.string(),
  origin: z.string(),
  /** Number of entries that it covers. */
  size: z.int(),
  /** The root over these entries, Base64. */
  root: z.string(),
  /** When it was published. */
  at: z.iso.datetime(),
  /** The id of its `CheckpointPublished`. */
  entryId: z.string(),
  /** The ID of the log's key, 8 hexadecimal digits. */
  keyId: z.string(),
  /** The names of the witnesses that have signed it too. */
  witnesses: z.array(z.string()),
});
export type ShownCheckpoint = z.infer<typeof checkpointSchema>;

/**
 * Why newer checkpoints are not signed or archived.
 * - `refused`: the log does not extend an earlier checkpoint.
 * - `unsigned`: the key cannot be used.
 * - `unarchived`: the archive cannot be read or written.
 */
const problemSchema = z.object({
  kind: z.enum(['refused', 'unsigned', 'unarchived']),
  at: z.iso.datetime(),
  message: z.string(),
});
type CheckpointProblem = z.infer<typeof problemSchema>;

/** The shape of `audit checkpoint --json` and `/api/audit/checkpoint`. */
export const newestCheckpointSchema = checkpointSchema.extend({
  /** Number of entries that the log has now. */
  logSize: z.int(),
  problems: z.array(problemSchema),
});

export interface CheckpointReport {
  /** `null`: none was published yet. */
  readonly checkpoint: ShownCheckpoint | null;
  /** `null`: the store has no transparency log yet. */
  readonly logSize: number | null;
  readonly problems: readonly CheckpointProblem[];
}

/** The newest checkpoint of the store, and why there is none, or none that is newer. @throws MalformedError if it was damaged */
export async function checkpointReport({
  ledger,
  registers,
}: Pick<Stores, 'ledger' | 'registers'>): Promise<CheckpointReport> {
  const [newest, status] = await Promise.all([newestCheckpoint({ ledger }), logStatus(registers)]);
  const problems = (['refused', 'unsigned', 'unarchived'] as const).flatMap((kind) => {
    const found = status[kind];
    return found === null ? [] : [{ kind, at: toIso(found.at), message: found.message }];
  });
  return { checkpoint: newest === null ? null : shownCheckpoint(newest), logSize: status.log?.size ?? null, problems };
}

/** The newest checkpoint alone; `null`: none was published, or the stored one is damaged. */
export async function readableCheckpoint(ledger: Pick<Stores['ledger'], 'query'>): Promise<ShownCheckpoint | null> {
  try {
    const newest = await newestCheckpoint({ ledger });
    return newest === null ? null : shownCheckpoint(newest);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

export function shownCheckpoint({ note, origin, size, root, at, entryId }: PublishedCheckpoint): ShownCheckpoint {
  const { signatures } = parseNote(note);
  // The name of the log's key is its origin; all other signatures are by witnesses.
  const own = signatures.find(({ name }) => name === origin);
  const witnesses = signatures.filter((each) => each !== own).map(({ name }) => name);
  const keyId = own === undefined ? '' : keyIdText(own.keyId);
  return { note, origin, size, root: toBase64(root), at, entryId, keyId, witnesses };
}

/** The origin of the store's log, which is also the name of its key; `null`: the store has no log yet. */
export async function originOf(stores: Pick<Stores, 'ledger' | 'registers' | 'snapshots'>): Promise<string | null> {
  const [log, organizationId] = await Promise.all([logReader(stores).log(), organizationOf(stores)]);
  return log === null || organizationId === null ? null : logOrigin({ organizationId, logId: log.id });
}
