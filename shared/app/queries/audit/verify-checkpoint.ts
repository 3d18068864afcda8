import * as z from 'zod';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { parseLogOrigin } from '../../../domain/ledger/log-origin.ts';
import { checkpointInNote, type LogCheckpoint } from '../../../domain/transparency/checkpoint.ts';
import { MalformedError, UnprovenError } from '../../../domain/transparency/errors.ts';
import { equalBytes } from '../../../domain/transparency/hash.ts';
import { noteVerifier } from '../../../domain/transparency/note-verifier.ts';
import { publicKeyInPem } from '../../../domain/transparency/public-key.ts';
import { keyIdText, parseNote, sortSignatures } from '../../../domain/transparency/signed-note.ts';
import { parseVerifierKey, type VerifierKey, verifierKey } from '../../../domain/transparency/verifier-key.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import type { Stores } from '../../context.ts';
import { organizationOf } from '../../coordination/organization-binding.ts';
import { LogContent } from '../../transparency/log-content.ts';
import { logReader, type PublishedCheckpoint } from '../../transparency/log-reader.ts';
import { verifyLedger, verifySchema } from './verify.ts';

/**
 * - `consistent`: the store has every entry that the checkpoint covers, unchanged and in the same order.
 * - `shorter`: the log of the store has fewer entries: it was truncated, or restored from an older backup.
 * - `differs`: the store has other entries: it was rewritten, or it is a fork.
 * - `otherLog`: the checkpoint is of another organization, or of a log that this store never had.
 * - `otherKey`: the checkpoint is not signed by this key.
 * - `wrongSignature`: its signature by this key does not match.
 */
const OUTCOMES = ['consistent', 'shorter', 'differs', 'otherLog', 'otherKey', 'wrongSignature'] as const;

const placeSchema = z.object({ index: z.number(), chain: z.string(), seq: z.number() });

/** The result of comparing a store with a checkpoint that was kept elsewhere. */
const checkpointResultSchema = z.object({
  outcome: z.enum(OUTCOMES),
  origin: z.string(),
  /** Number of entries that the checkpoint covers. */
  size: z.number(),
  /** One sentence for people. */
  message: z.string(),
  /** `consistent`: number of entries that the log has more; otherwise `null`. */
  appended: z.number().nullable(),
  /** `shorter`: number of entries that the log has less; otherwise `null`. */
  missing: z.number().nullable(),
  /** `shorter`: when the last entry was written that the store has from before, ISO 8601. */
  since: z.string().nullable(),
  /** `differs`: the first entry that may differ, and the number of entries from there on among which the first difference is. */
  difference: z.object({ first: placeSchema.nullable(), among: z.number() }).nullable(),
  /** The last restore from a backup that the store records: its time, and the name of the file. */
  restored: z.object({ at: z.string(), file: z.string() }).nullable(),
});
type CheckpointResult = Readonly<z.infer<typeof checkpointResultSchema>>;

/** The shape of `audit verify --checkpoint --json`. */
export const verifyCheckpointSchema = verifySchema.extend({ checkpoint: checkpointResultSchema });
export type VerifyCheckpointResult = z.infer<typeof verifyCheckpointSchema>;

export type CheckpointStores = Pick<Stores, 'ledger' | 'records' | 'registers' | 'snapshots'>;

interface Kept {
  /** The signed note. */
  readonly note: string;
  /** A verifier key (C2SP signed-note), or a public key in PEM. */
  readonly key: string;
}

/**
 * Verifies the whole store and compares it with a checkpoint that was kept elsewhere.
 * @throws MalformedError if the note is not a signed checkpoint, or the key is not one of a log
 */
export async function verifyCheckpoint(stores: CheckpointStores, { note, key }: Kept): Promise<VerifyCheckpointResult> {
  const checkpoint = checkpointInNote(note);
  const own = await logReader(stores).checkpoints(null, null);
  const log = await LogContent.read(stores, [checkpoint.size, ...own.map(({ size }) => size)]);
  const known: Known = {
    stores,
    checkpoint,
    log,
    own,
    key: readCheckpointKey(key, checkpoint.origin),
    restored: (await stores.ledger.query({ type: 'StoreRestored' }, { limit: 1 })).entries[0] ?? null,
  };
  const result = await judged(known, note);
  const store = await verifyLedger(stores.ledger, stores.records, { log });
  return { ...store, ok: store.ok && result.outcome === 'consistent', checkpoint: result };
}

/** The log of a store, for {@link verifyLedger}; the store's own checkpoints are compared with it. */
export async function readLog(stores: Pick<Stores, 'ledger' | 'registers' | 'snapshots'>): Promise<LogContent | null> {
  const own = await logReader(stores).checkpoints(null, null);
  return LogContent.read(
    stores,
    own.map(({ size }) => size),
  );
}

/**
 * A key as the operator has it. A public key in PEM has no name, so it gets that of the log.
 * @throws MalformedError if it is neither of them, or the key of a witness
 */
export function readCheckpointKey(text: string, origin: string): VerifierKey {
  const trimmed = text.trim();
  if (trimmed.includes('PRIVATE KEY-----')) {
    throw new MalformedError('public key', 'it is a private key, which must stay secret; use the public key');
  }
  if (!trimmed.includes('-----BEGIN')) {
    const key = parseVerifierKey(trimmed);
    if (key.type !== 'cosignature') return key;
    throw new MalformedError('verifier key', 'it is the key of a witness; the key of a log is needed');
  }
  const found = publicKeyInPem(trimmed);
  if (found === null) throw new MalformedError('public key', 'it is not an Ed25519 or P-256 public key in PEM');
  return verifierKey({ name: origin, ...found });
}

interface Known {
  readonly stores: CheckpointStores;
  readonly checkpoint: LogCheckpoint;
  readonly key: VerifierKey;
  readonly log: LogContent | null;
  /** The checkpoints that the store has. */
  readonly own: readonly PublishedCheckpoint[];
  readonly restored: LedgerEntry | null;
}

async function judged(known: Known, note: string): Promise<CheckpointResult> {
  const { checkpoint, key, log } = known;
  const result = resultOf(known);
  const signature = signatureOf(note, key);
  if (signature === 'missing') return underOtherName(known, note);
  if (signature === 'wrong') {
    return result(
      'wrongSignature',
      'The signature of the checkpoint is wrong: its text was changed, or it was not signed by this key.',
    );
  }
  const other = await otherLog(known);
  if (other !== null) return result('otherLog', other);
  const has = log?.size ?? 0;
  if (has < checkpoint.size) return shorter(known, checkpoint.size - has);
  const root = log?.rootAt(checkpoint.size) ?? null;
  if (root === null || !equalBytes(root, checkpoint.root)) return differing(known);
  const appended = has - checkpoint.size;
  const more = `${entries(appended)} ${appended === 1 ? 'was' : 'were'} appended since`;
  return {
    ...result(
      'consistent',
      `The store has all ${number(checkpoint.size)} entries that the checkpoint covers, unchanged; ${more}.`,
    ),
    appended,
  };
}

/**
 * The name of a log is part of the id of its keys, so a key with the name that the log had before a restore does not match. The same public key is
 * accepted under the new name, because `otherLog` checks the name in the checkpoint separately.
 */
async function underOtherName(known: Known, note: string): Promise<CheckpointResult> {
  const { checkpoint, key, restored } = known;
  const renamed = ofSameOrganization(key.name, checkpoint.origin)
    ? verifierKey({ ...key, name: checkpoint.origin })
    : null;
  const isSame = renamed !== null && signatureOf(note, renamed) !== 'missing';
  if (isSame && restored !== null) {
    const result = await judged({ ...known, key: renamed }, note);
    const why = `the log was renamed by the restore of ${minute(restored.at)}`;
    return { ...result, message: `${result.message} The given key ${keyText(key)} is the same key; ${why}.` };
  }
  const signers = parseNote(note).signatures.map(keyText).join(' and ');
  const other = isSame ? ', the same public key under the name of another log' : '';
  return resultOf(known)(
    'otherKey',
    `The checkpoint is signed by ${signers}, but the given key is ${keyText(key)}${other}.`,
  );
}

function ofSameOrganization(name: string, origin: string): boolean {
  const [one, other] = [parseLogOrigin(name), parseLogOrigin(origin)];
  return one !== null && other !== null && one.organizationId === other.organizationId && name !== origin;
}

function resultOf({ checkpoint, restored }: Known) {
  const { origin, size } = checkpoint;
  return (outcome: CheckpointResult['outcome'], message: string): CheckpointResult => ({
    outcome,
    origin,
    size,
    message,
    appended: null,
    missing: null,
    since: null,
    difference: null,
    restored: restored === null ? null : { at: restored.at, file: restored.detail?.restore?.file ?? '' },
  });
}

function signatureOf(note: string, key: VerifierKey): 'valid' | 'wrong' | 'missing' {
  try {
    return sortSignatures(parseNote(note), [noteVerifier(key)]).verified.length === 0 ? 'missing' : 'valid';
  } catch (error) {
    if (error instanceof UnprovenError) return 'wrong';
    throw error;
  }
}

/** Why the checkpoint says nothing about this store; `null`: it is of a log that this store has or had. */
async function otherLog({ stores, checkpoint, log, own, restored }: Known): Promise<string | null> {
  const name = parseLogOrigin(checkpoint.origin);
  const organizationId = await organizationOf(stores);
  if (name === null) return `The checkpoint is of the log ${checkpoint.origin}, which is not a log of Rollcall.`;
  if (organizationId !== null && name.organizationId !== organizationId) {
    return `The checkpoint is of organization ${name.organizationId}, but the store belongs to ${organizationId}.`;
  }
  const has = name.logId === log?.id || own.some(({ origin }) => origin === checkpoint.origin);
  // A restored store continues under another name, and may be older than its first checkpoint.
  if (has || log === null || restored !== null) return null;
  return `The checkpoint is of the log ${name.logId}, but the store has the log ${log.id} and no checkpoint of ${name.logId}: it is another store, or it was replaced.`;
}

async function shorter(known: Known, missing: number): Promise<CheckpointResult> {
  const { stores, checkpoint, log, restored } = known;
  const since = await lastTime(stores.ledger, restored);
  const why =
    restored === null
      ? 'it was truncated, or replaced by an older copy'
      : `it was restored from a backup on ${minute(restored.at)}`;
  const end = since === null ? '' : `, the last written ${minute(since)}`;
  const message = `The store lacks ${entries(missing)} of the ${number(checkpoint.size)} that the checkpoint covers: its log has ${entries(log?.size ?? 0)}${end}; ${why}.`;
  return { ...resultOf(known)('shorter', message), missing, since };
}

/** When the last entry was written that the store has from before a restore. */
async function lastTime(ledger: Pick<Ledger, 'query'>, restored: LedgerEntry | null): Promise<string | null> {
  const filter = restored === null ? {} : { until: restored.at };
  return (await ledger.query(filter, { limit: 1 })).entries[0]?.at ?? null;
}

function differing(known: Known): CheckpointResult {
  const { checkpoint, log, restored } = known;
  const { from, to } = differenceBetween(known);
  const first = log?.entryAt(from) ?? null;
  const place =
    first === null
      ? ''
      : `; the first difference is among the ${entries(to - from)} from entry ${number(first.seq)} of ${first.chain} on`;
  const why =
    restored === null
      ? 'it was rewritten, or is a fork'
      : `it was restored from a backup on ${minute(restored.at)}, or rewritten`;
  const message = `The store does not have the ${number(checkpoint.size)} entries that the checkpoint covers: ${why}${place}.`;
  const difference = { first: first === null ? null : { index: from, ...first }, among: to - from };
  return { ...resultOf(known)('differs', message), difference };
}

/** The store's own checkpoints that the key has signed show how far the log is still the same. */
function differenceBetween({ checkpoint, key, log, own }: Known) {
  let [from, to] = [0, checkpoint.size];
  for (const { note, origin, size, root } of own) {
    if (size >= checkpoint.size || signatureOf(note, verifierKey({ ...key, name: origin })) !== 'valid') continue;
    const found = log?.rootAt(size) ?? null;
    if (found !== null && equalBytes(found, root)) from = Math.max(from, size);
    else to = Math.min(to, size);
  }
  return { from: Math.min(from, to), to };
}

function entries(count: number): string {
  return `${number(count)} ${count === 1 ? 'entry' : 'entries'}`;
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}

/** `2026-12-09 06:12 UTC` */
function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function keyText({ name, keyId }: Pick<VerifierKey, 'name' | 'keyId'>): string {
  return `${name}+${keyIdText(keyId)}`;
}
