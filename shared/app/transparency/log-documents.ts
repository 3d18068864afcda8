import * as z from 'zod';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import type { Registers } from '../../ports/registers.ts';
import { documentFamily, REGISTERS, storedDocument } from '../coordination/documents.ts';
import { update } from '../coordination/typed-register.ts';

const count = z.int().nonnegative();
const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** Entries of a chain with consecutive indexes in the log: [number in the chain, index in the log] of the first. */
const placeSchema = z.tuple([z.int().positive(), count]).readonly();
const placesSchema = z.array(placeSchema).readonly();
export type Place = z.infer<typeof placeSchema>;

/** A chain that does not continue what the log has of it. Its entries stay out of the log until it is repaired. */
const brokenSchema = z.object({
  chain: z.string(),
  /** The entry that does not follow the one before. */
  seq: z.number(),
  problem: z.string(),
});
export type BrokenChain = Readonly<z.infer<typeof brokenSchema>>;

const logSchema = z.object({
  id: z.string().regex(/^[a-z0-9]{8}$/),
  size: count,
  /** Entries up to this time are in the log, except those that were stored later than usual; epoch ms. */
  searchedUntil: z.number(),
  /** When all chains were last compared with the log, epoch ms. */
  comparedAt: z.number(),
  /** The last chain whose older entries have been appended, in the order of chain names; `null`: all chains have been. */
  backfilled: z.string().nullable(),
  /** The size of the log after the last end of a scan; 0: none has ended. */
  runEnd: count,
  /** The latest `StoreRestored` when the log got its present id; `null`: none. */
  restoredBy: z.string().nullable(),
  /** Chains that do not continue what the log has of them, at most ten. */
  broken: z.array(brokenSchema).readonly(),
});
export type LogState = Readonly<z.infer<typeof logSchema>>;
export const LOG = storedDocument(REGISTERS.log, logSchema);

/** A backup has replaced the store during a step. What the step had appended is gone, and the next run begins with what the store has now. */
export class LogReplacedError extends Error {
  override readonly name = 'LogReplacedError';

  constructor() {
    super('a backup has replaced the transparency log meanwhile; the next run continues with what the store has now');
  }
}

/** Changes the log's register by compare-and-set. @throws LogReplacedError if it does not exist any more */
export function changeLog(registers: Registers, change: (log: LogState) => LogState): Promise<LogState> {
  return update(registers, LOG, (current) => {
    if (current === null) throw new LogReplacedError();
    return change(current);
  });
}

/** A new log id: 8 lower-case letters and digits. @param id unique */
export function newLogId(id: string): string {
  const number = BigInt(`0x${sha256Hex(id).slice(0, 16)}`);
  return number.toString(36).padStart(8, '0').slice(-8);
}

/** By number of the bundle. It only grows, and the order of the log is the order of the bundles. */
export const LOG_BUNDLES = documentFamily(
  REGISTERS.logBundle,
  z.object({
    /** Chain, number of the first entry, number of entries. */
    runs: z.array(z.tuple([z.string(), z.int().positive(), z.int().positive()])),
    /** The hashes of all entries one after another. */
    hashes: z.base64(),
  }),
);

/** By chain. */
const chainSchema = z.object({
  /** The last entry of the chain that the log has; 0: none yet. */
  seq: count,
  hash: hex,
  places: placesSchema,
  /** The first number of each page of earlier places. */
  earlier: z.array(z.int().positive()).readonly(),
});
export type ChainState = Readonly<z.infer<typeof chainSchema>>;
export const LOG_CHAINS = documentFamily(REGISTERS.logChain, chainSchema);

/** By chain and page number, `<chain>/<page>`. */
export const LOG_RUNS = documentFamily(REGISTERS.logRuns, z.object({ places: placesSchema }));

/** By level and number of the tile, `<level>/<tile>`, from level 1 on. */
export const LOG_TILES = documentFamily(REGISTERS.logTile, z.object({ hashes: z.base64() }));
