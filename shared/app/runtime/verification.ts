import * as z from 'zod';
import { toIso } from '../../domain/time.ts';
import type { Clock, Logger } from '../../ports/system.ts';
import type { Stores } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, writeTyped } from '../coordination/typed-register.ts';
import { listOf } from '../ledger/digest.ts';
import { readableCheckpoint, type ShownCheckpoint } from '../queries/audit/checkpoint.ts';
import { type VerifyResult, verifyLedger, verifySchema } from '../queries/audit/verify.ts';
import { readLog } from '../queries/audit/verify-checkpoint.ts';

const stored = z.object({
  /** When the verification began, epoch ms: later entries are not covered. */
  at: z.number(),
  durationMs: z.number(),
  result: verifySchema,
});
type Stored = z.infer<typeof stored>;

export const VERIFICATION = storedDocument(REGISTERS.verification, stored);

/** A verification is repeated after this time while somebody looks at its result, ms. */
const MAX_AGE_MS = 5 * 60_000;
/** Verifying takes at most one part in this many of a process's time. */
const SHARE = 20;

type VerifiedStores = Pick<Stores, 'ledger' | 'records' | 'registers' | 'snapshots'>;

interface VerificationParts {
  readonly stores: VerifiedStores;
  /** The same for reading the whole log, if such reads have turns of their own; default: `stores`. */
  readonly longReads?: VerifiedStores;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the process lives on after an answer, so that a verification may run in the background. */
  readonly inBackground: boolean;
}

/** The last result of verifying the whole audit log, which all processes share, and the verification that runs in this process. */
export class Verification {
  readonly #parts: VerificationParts;
  #running: Promise<Stored> | null = null;

  constructor(parts: VerificationParts) {
    this.#parts = parts;
  }

  /** The last result. If it is old and the process may work in the background, a new verification begins. */
  async last() {
    const known = await this.#known();
    const { inBackground, logger } = this.#parts;
    if (inBackground && this.#running === null && this.#isOld(known)) {
      this.#begin().catch((error: unknown) => logger.warn('the audit log could not be verified', { error }));
    }
    return this.#view(known);
  }

  /** Verifies now; callers at the same time share one verification. */
  async now() {
    return this.#view(await (this.#running ?? this.#begin()));
  }

  async #known(): Promise<Stored | null> {
    return (await readTyped(this.#parts.stores.registers, VERIFICATION))?.value ?? null;
  }

  #isOld(known: Stored | null): boolean {
    if (known === null) return true;
    return this.#parts.clock.now() - known.at > Math.max(MAX_AGE_MS, SHARE * known.durationMs);
  }

  #begin(): Promise<Stored> {
    const running = this.#verify().finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #verify(): Promise<Stored> {
    const { stores, longReads = stores, clock } = this.#parts;
    const at = clock.now();
    const own = await lastDigest(stores);
    const result = await verifyLedger(longReads.ledger, longReads.records, {
      digests: own === null ? [] : [own.digest],
      listOf: (digest) => listOf(stores.registers, digest),
      // The store's own digest is not independent evidence: if its list is gone, the chains still count as intact.
      strict: false,
      log: await readLog(longReads),
    });
    const done = { at, durationMs: clock.now() - at, result };
    const known = await readTyped(stores.registers, VERIFICATION);
    // A process that loses the race leaves an equally recent result.
    await writeTyped(stores.registers, VERIFICATION, done, known?.version ?? null);
    return done;
  }

  async #view(known: Stored | null) {
    const { stores } = this.#parts;
    const [own, newest] = await Promise.all([lastDigest(stores), readableCheckpoint(stores.ledger)]);
    const outcome = known?.result.digests.find(({ root }) => root === own?.digest.root)?.outcome ?? null;
    return {
      state: stateOf(known?.result ?? null),
      verifiedAt: known === null ? null : toIso(known.at),
      durationMs: known?.durationMs ?? null,
      running: this.#running !== null,
      chains: known?.result.chains ?? null,
      entries: known?.result.entries ?? null,
      pruned: known?.result.pruned ?? null,
      faults: known?.result.faults ?? [],
      logProblems: known?.result.log?.problems ?? [],
      digest: own === null ? null : { ...own.digest, at: own.at, outcome },
      checkpoint: newest === null ? null : withoutNote(newest),
    };
  }
}

function withoutNote({ note: _note, root: _root, ...rest }: ShownCheckpoint) {
  return rest;
}

function stateOf(result: VerifyResult | null): 'intact' | 'damaged' | 'notVerified' {
  if (result === null) return 'notVerified';
  return result.ok ? 'intact' : 'damaged';
}

/** The latest daily digest in the store's own audit log; `null`: none was written yet. */
async function lastDigest({ ledger }: Pick<Stores, 'ledger'>) {
  const [entry] = (await ledger.query({ type: 'DigestPublished' }, { limit: 1 })).entries;
  const digest = entry?.detail?.digest;
  return entry === undefined || digest === undefined ? null : { digest, at: entry.at };
}
