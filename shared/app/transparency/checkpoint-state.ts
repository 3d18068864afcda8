import * as z from 'zod';
import type { Registers } from '../../ports/registers.ts';
import { documentFamily, REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, readValue } from '../coordination/typed-register.ts';
import { type BrokenChain, LOG } from './log-documents.ts';

const problemSchema = z.object({
  /** Epoch ms. */
  at: z.number(),
  message: z.string(),
});
export type Problem = Readonly<z.infer<typeof problemSchema>>;

const newestSchema = z.object({
  note: z.string(),
  origin: z.string(),
  size: z.int().nonnegative(),
  /** When it was published, epoch ms. */
  at: z.number(),
  entryId: z.string(),
});
export type NewestCheckpoint = Readonly<z.infer<typeof newestSchema>>;

const checkpointSchema = z.object({
  newest: newestSchema.nullable(),
  /** Whether the archive has it, if there is one. */
  archived: z.boolean(),
  /** Why no checkpoint is signed: the log does not extend an earlier one. */
  refused: problemSchema.nullable(),
  /** Why the key could not be used. */
  unsigned: problemSchema.nullable(),
  /** Why the archive could not be read or written. */
  unarchived: problemSchema.nullable(),
});
export type CheckpointState = Readonly<z.infer<typeof checkpointSchema>>;
export const CHECKPOINT = storedDocument(REGISTERS.logCheckpoint, checkpointSchema);

export const NO_CHECKPOINT: CheckpointState = {
  newest: null,
  archived: false,
  refused: null,
  unsigned: null,
  unarchived: null,
};

const witnessSchema = z.object({
  origin: z.string(),
  /** The size of the newest checkpoint of this origin that it has signed; 0: none. */
  size: z.int().nonnegative(),
  problem: problemSchema.nullable(),
});
/** By name of the witness. */
export const WITNESSES = documentFamily(REGISTERS.logWitness, witnessSchema);

/** The state of the transparency log, for commands and diagnosis. */
export interface LogStatus extends CheckpointState {
  /** `null`: the store has no log yet. */
  readonly log: {
    readonly id: string;
    readonly size: number;
    /** Whether entries from before the log existed are still being appended. */
    readonly catchingUp: boolean;
    /** Chains that do not continue what the log has of them, at most ten. */
    readonly broken: readonly BrokenChain[];
  } | null;
  readonly witnesses: readonly (Readonly<z.infer<typeof witnessSchema>> & { readonly name: string })[];
}

export async function logStatus(registers: Pick<Registers, 'read' | 'list'>): Promise<LogStatus> {
  const [log, state, witnesses] = await Promise.all([
    readTyped(registers, LOG),
    readTyped(registers, CHECKPOINT),
    registers.list(WITNESSES.prefix),
  ]);
  return {
    ...(state?.value ?? NO_CHECKPOINT),
    log: log === null ? null : toLog(log.value),
    witnesses: witnesses.map(({ name, value }) => ({
      name: name.slice(WITNESSES.prefix.length),
      ...readValue({ name, schema: WITNESSES.schema }, value),
    })),
  };
}

function toLog({ id, size, backfilled, broken }: z.infer<typeof LOG.schema>) {
  return { id, size, catchingUp: backfilled !== null, broken };
}
