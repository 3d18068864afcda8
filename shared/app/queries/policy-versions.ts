import { structuredPatch } from 'diff';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { type CompiledPolicy, compilePolicy, parsePolicy } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Stores } from '../context.ts';
import { policyEffect } from './policy-effect.ts';

/*
 * The policies that were in force, from the audit log: each `PolicyChanged` entry is a version. Entries of earlier versions of Rollcall, and of
 * very long policies, do not contain the text.
 */

/** At most this many versions are listed. */
const MOST = 50;
/** Unchanged lines around a change. */
const CONTEXT = 3;
/** Longer differences are not computed, lines. */
const MAX_EDITS = 4_000;

type VersionStores = Pick<Stores, 'ledger' | 'snapshots'>;

export function versionOf({ id, at, actor, runId, policyHash, detail }: LedgerEntry) {
  const file = detail?.policy?.file ?? null;
  return { entryId: id, at, actor, runId, hash: policyHash ?? '', file, hasText: detail?.policy !== undefined };
}

/** The versions, newest first. */
export async function policyVersions({ ledger }: Pick<VersionStores, 'ledger'>) {
  const { entries, next } = await ledger.query({ type: 'PolicyChanged' }, { limit: MOST });
  return { versions: entries.map(versionOf), more: next !== null };
}

/** What a version changed compared with the previous one. @returns `null` if there is no such version */
export async function policyChange(stores: VersionStores, entryId: string) {
  const { entries } = await stores.ledger.query({ type: 'PolicyChanged' }, { limit: MOST + 1 });
  const index = entries.findIndex(({ id }) => id === entryId);
  const entry = entries[index];
  if (entry === undefined) return null;
  const before = entries[index + 1] ?? null;
  const [to, from] = [entry.detail?.policy?.text, before?.detail?.policy?.text];
  const versions = { from: before === null ? null : versionOf(before), to: versionOf(entry) };
  if (to === undefined || (from === undefined && before !== null)) return { ...versions, hunks: null, effect: null };
  return { ...versions, hunks: hunksOf(from ?? '', to), effect: await effectOf(stores, before, entry) };
}

interface ChangedLine {
  /** Its number before; `null`: the line was added. */
  readonly from: number | null;
  /** Its number now; `null`: the line was removed. */
  readonly to: number | null;
  readonly text: string;
}

function hunksOf(from: string, to: string) {
  const patch = structuredPatch('', '', from, to, '', '', { context: CONTEXT, maxEditLength: MAX_EDITS });
  if (patch === undefined) return null;
  return patch.hunks.map(({ oldStart, newStart, lines }) => {
    let [old, now] = [oldStart, newStart];
    // Other signs are remarks, such as a missing newline at the end.
    const written = lines.filter((line) => /^[-+ ]/.test(line));
    return written.map((line): ChangedLine => {
      const [from, to] = [line.startsWith('+') ? null : old, line.startsWith('-') ? null : now];
      if (from !== null) old += 1;
      if (to !== null) now += 1;
      return { from, to, text: line.slice(1) };
    });
  });
}

async function effectOf(
  { snapshots }: Pick<VersionStores, 'snapshots'>,
  before: LedgerEntry | null,
  entry: LedgerEntry,
) {
  const snapshot = await snapshots.load();
  const [from, to] = [before === null ? null : compiledOf(before), compiledOf(entry)];
  if (snapshot === null || from === null || to === null) return null;
  if ((from.usesTags || to.usesTags) && !snapshot.tags) return null;
  return { countedAt: toIso(snapshot.takenAt), ...policyEffect(from, to, snapshot.accounts, Date.parse(entry.at)) };
}

function compiledOf({ at, detail }: LedgerEntry): CompiledPolicy | null {
  const kept = detail?.policy;
  if (kept === undefined) return null;
  const read = parsePolicy(kept.text, { file: kept.file, now: Date.parse(at), env: null });
  return read.ok ? compilePolicy(read.policy) : null;
}
