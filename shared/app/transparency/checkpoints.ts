import { logOrigin } from '../../domain/ledger/log-origin.ts';
import { checkpointInNote } from '../../domain/transparency/checkpoint.ts';
import { toBase64 } from '../../domain/transparency/encoding.ts';
import { MalformedError, UnprovenError } from '../../domain/transparency/errors.ts';
import type { Hash } from '../../domain/transparency/hash.ts';
import { rootOf } from '../../domain/transparency/tree.ts';
import type { TreeHead } from '../../domain/transparency/verify-proof.ts';
import { ArchiveError, type CheckpointArchive } from '../../ports/checkpoint-archive.ts';
import { type CheckpointSigner, SignerError } from '../../ports/checkpoint-signer.ts';
import { DamagedRegisterError } from '../../ports/registers.ts';
import type { Deps } from '../context.ts';
import { organizationOf } from '../coordination/organization-binding.ts';
import { BUSY, oneAtATime } from '../coordination/single-flight.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeOrganizationEntry } from '../ledger/write-entries.ts';
import { keepCheckpoint, newestKept } from './checkpoint-archive.ts';
import { isDue, isWaiting } from './checkpoint-schedule.ts';
import { CHECKPOINT, type CheckpointState, type NewestCheckpoint, NO_CHECKPOINT } from './checkpoint-state.ts';
import type { Checkpointing } from './checkpointing.ts';
import { cosigned } from './cosign.ts';
import { extensionProof } from './extension-proof.ts';
import { lastRestore } from './last-restore.ts';
import { changeLog, LogReplacedError, type LogState, newLogId } from './log-documents.ts';
import { newestCheckpoint } from './log-reader.ts';
import { signedCheckpoint } from './sign-checkpoint.ts';
import { storedNodes } from './stored-tree.ts';

/*
 * Publishes checkpoints of the log:
 *
 *   due ──▶ extends the last one, and the newest in the archive? ──▶ signed ──▶ cosigned ──▶ CheckpointPublished ──▶ log-checkpoint ──▶ archive
 *                 │ no                                                                  │ crash
 *                 ▼                                                                     └ the next run finds the entry and continues after it
 *           refused, reported, retried
 */

export type CheckpointDeps = Pick<Deps, 'ledger' | 'registers' | 'snapshots' | 'clock' | 'newId' | 'actor' | 'logger'>;

const LEASE = 'transparency-checkpoint';

type ProblemField = 'refused' | 'unsigned' | 'unarchived';
type Signing = Checkpointing & { readonly signer: CheckpointSigner };

export class CheckpointPublisher {
  readonly #deps: CheckpointDeps;

  constructor(deps: CheckpointDeps) {
    this.#deps = deps;
  }

  /**
   * Publishes a checkpoint if one is due, and archives the newest one if that failed before. A failure is recorded in the state.
   * @param last the process ends after this
   * @returns the published checkpoint
   */
  async run(log: LogState, parts: Checkpointing, last: boolean): Promise<NewestCheckpoint | null> {
    const { clock } = this.#deps;
    const state = await this.#state();
    const now = clock.now();
    const waits = (field: ProblemField): boolean => !last && isWaiting(state[field], now);
    const { archive, signer } = parts;
    if (archive !== null && state.newest !== null && !state.archived && !waits('unarchived')) {
      await this.#keep(archive, state.newest);
    }
    if (signer === null || !isDue(log, state, now, last)) return null;
    if (waits('refused') || waits('unsigned') || waits('unarchived')) return null;
    const published = await oneAtATime(this.#deps, LEASE, () => this.#attempt(log, { ...parts, signer }, last));
    return published === BUSY ? null : published;
  }

  async #state(): Promise<CheckpointState> {
    return (await readTyped(this.#deps.registers, CHECKPOINT))?.value ?? NO_CHECKPOINT;
  }

  async #attempt(log: LogState, parts: Signing, last: boolean): Promise<NewestCheckpoint | null> {
    try {
      const origin = await this.#origin(log);
      if (origin === null) return null;
      const state = await this.#adopted(origin);
      // Another process may have published one since.
      if (!isDue(log, state, this.#deps.clock.now(), last)) return null;
      return await this.#publish({ origin, log, last: state.newest }, parts);
    } catch (error) {
      if (error instanceof LogReplacedError) return null;
      const field = fieldOf(error);
      if (field === null || !(error instanceof Error)) throw error;
      await this.#report(field, error instanceof UnprovenError ? `${error.message}. ${REMEDY}` : error.message);
      return null;
    }
  }

  /** The state, with the newest checkpoint of the audit log: a process may have crashed right after it had published it. */
  async #adopted(origin: string): Promise<CheckpointState> {
    const state = await this.#state();
    const found = await newestCheckpoint(this.#deps);
    const known = state.newest?.origin === origin ? state.newest.size : 0;
    if (found === null || found.origin !== origin || found.size <= known) return state;
    const { note, size, at, entryId } = found;
    return this.#change((current) => ({
      ...current,
      newest: { note, origin, size, at: Date.parse(at), entryId },
      archived: false,
    }));
  }

  /** The name of the log; `null`: the organization is not known yet. */
  async #origin(log: LogState): Promise<string | null> {
    const organizationId = await organizationOf(this.#deps);
    if (organizationId === null) return null;
    const { id } = await this.#afterRestore(log);
    return logOrigin({ organizationId, logId: id });
  }

  async #publish(
    { origin, log, last }: Next,
    { signer, archive, witnesses }: Signing,
  ): Promise<NewestCheckpoint | null> {
    const { registers } = this.#deps;
    const { size } = log;
    const head = { size, root: await rootOf(size, storedNodes(registers, size)) };
    const { previous, proof } = await this.#extension(last, origin, head);
    const kept = archive === null ? null : await newestKept(archive, origin);
    if (kept !== null) await this.#proofFrom(kept, head, `the newest checkpoint in ${archive?.label}`);
    // If a restore has replaced the log since its name was read, the tree read above may belong to another log.
    if ((await this.#origin(log)) !== origin) return null;
    const signed = await signedCheckpoint(signer, origin, head);
    const { note, names } = await cosigned(this.#deps, { origin, size, note: signed }, witnesses);
    const newest = await this.#record({ origin, size, note, names, previous, proof }, last);
    if (archive !== null) await this.#keep(archive, newest);
    return newest;
  }

  /**
   * The proof that the log extends its last checkpoint. The first one after a restore may also follow one that the backup lacks. A new name of the log
   * alone does not excuse a failed proof, because anybody who can write the store can change the name.
   */
  async #extension(last: NewestCheckpoint | null, origin: string, head: TreeHead) {
    if (last === null) return { previous: null, proof: [] };
    try {
      return {
        previous: last.note,
        proof: await this.#proofFrom(checkpointInNote(last.note), head, 'the last checkpoint'),
      };
    } catch (error) {
      const isExcused = last.origin !== origin && error instanceof UnprovenError && (await this.#isRestoredSince(last));
      if (isExcused) return { previous: null, proof: [] };
      throw error;
    }
  }

  async #isRestoredSince({ at }: NewestCheckpoint): Promise<boolean> {
    const { entries } = await this.#deps.ledger.query({ type: 'StoreRestored' }, { limit: 1 });
    return entries.some((entry) => Date.parse(entry.at) >= at);
  }

  #proofFrom(earlier: TreeHead, head: TreeHead, name: string): Promise<readonly Hash[]> {
    return extensionProof(this.#deps.registers, { earlier, head, name });
  }

  /** A restored store lacks entries that earlier checkpoints may cover, so it continues as another log. */
  async #afterRestore(log: LogState): Promise<LogState> {
    const { ledger, registers, newId } = this.#deps;
    const restoredBy = await lastRestore(ledger);
    if (restoredBy === null || restoredBy === log.restoredBy) return log;
    const id = newLogId(newId());
    return changeLog(registers, (current) =>
      current.restoredBy === restoredBy ? current : { ...current, id, restoredBy },
    );
  }

  async #record(checkpoint: Published, last: NewestCheckpoint | null): Promise<NewestCheckpoint> {
    const { origin, size, note, names, previous, proof } = checkpoint;
    const message = `covers the first ${size === 1 ? 'entry' : `${size} entries`} of the log ${origin}`;
    const treeHead = { note, previous, proof: proof.map(toBase64), witnesses: names };
    const entry = await writeOrganizationEntry(this.#deps, () =>
      organizationEntry(commandContext(this.#deps), 'CheckpointPublished', { detail: { message, treeHead } }),
    );
    const newest = { note, origin, size, at: Date.parse(entry.at), entryId: entry.id };
    // Otherwise a backup has replaced the store meanwhile, and this checkpoint is not of its log.
    const isNext = (state: CheckpointState): boolean => state.newest?.entryId === last?.entryId;
    await this.#change((state) => (isNext(state) ? { ...NO_CHECKPOINT, newest } : state));
    return newest;
  }

  async #keep(archive: CheckpointArchive, newest: NewestCheckpoint): Promise<void> {
    try {
      await keepCheckpoint(archive, newest);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      await this.#report('unarchived', error.message);
      return;
    }
    await this.#change((state) =>
      state.newest?.entryId === newest.entryId ? { ...state, archived: true, unarchived: null } : state,
    );
  }

  async #report(field: ProblemField, message: string): Promise<void> {
    const { logger, clock } = this.#deps;
    const known = (await this.#state())[field];
    if (known?.message !== message) logger.error(PROBLEMS[field], { message });
    await this.#change((state) => ({ ...state, [field]: { at: clock.now(), message } }));
  }

  #change(change: (state: CheckpointState) => CheckpointState): Promise<CheckpointState> {
    return update(this.#deps.registers, CHECKPOINT, (current) => change(current ?? NO_CHECKPOINT));
  }
}

interface Next {
  readonly origin: string;
  readonly log: LogState;
  readonly last: NewestCheckpoint | null;
}

interface Published {
  readonly origin: string;
  readonly size: number;
  readonly note: string;
  /** The witnesses that have signed it. */
  readonly names: readonly string[];
  readonly previous: string | null;
  readonly proof: readonly Hash[];
}

const PROBLEMS: Readonly<Record<ProblemField, string>> = {
  refused: 'no checkpoint was signed, because the log does not extend an earlier one',
  unsigned: 'no checkpoint was signed, because the key cannot be used',
  unarchived: 'the archive of checkpoints cannot be used',
};

const REMEDY =
  'If the store was restored without rollcall restore FILE, record that: rollcall restore --acknowledge --reason TEXT';

function fieldOf(error: unknown): ProblemField | null {
  if (error instanceof SignerError) return 'unsigned';
  if (error instanceof ArchiveError) return 'unarchived';
  const isRefusal =
    error instanceof UnprovenError || error instanceof MalformedError || error instanceof DamagedRegisterError;
  return isRefusal ? 'refused' : null;
}
