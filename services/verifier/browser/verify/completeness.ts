import type { Archive } from './archive.ts';
import type { Chains } from './chains.ts';
import type { EntryVerifier } from './entries.ts';
import type { EvidenceFile, NamedCheckpoint } from './evidence-file.ts';
import { type Check, count, EvidenceError, Failures, instant } from './finding.ts';
import type { Log } from './log.ts';

interface Material {
  readonly archive: Archive;
  readonly file: EvidenceFile;
  readonly log: Log;
  readonly chains: Chains;
  readonly entries: EntryVerifier;
}

/**
 * Checks that every entry that was added to the log between two checkpoints is in the ZIP file. A checkpoint has no time under its signature: the entries that
 * the log has show when it was made.
 */
export function checkComplete(material: Material): Check {
  const { complete, checkpoints, since } = material.file;
  if (complete === null) {
    const message =
      'No checkpoint is older than the period, so the log does not show whether entries at its beginning are missing.';
    return { name: 'complete', state: 'limited', message };
  }
  const failures = new Failures();
  const { from, to } = complete;
  const first = checkpoints.find(({ size, at }) => size === from && at < since) ?? null;
  const last = checkpoints.find(({ size }) => size === to) ?? null;
  if (first === null && from !== 0)
    failures.add(`No checkpoint before the period has ${count(from, 'entry', 'entries')}, as evidence.json says.`);
  if (last === null || from > to)
    failures.add(`No checkpoint after the period has ${count(to, 'entry', 'entries')}, as evidence.json says.`);
  const pruned = countPruned(material, { from, to }, failures);
  const limit = startLimit(material, first) ?? endLimit(material, last) ?? prunedLimit(pruned);
  return failures.check('complete', completeText(first, last, to - from), limit);
}

/** Stops at the first entry that is missing: a size that somebody made up can be 2^53. */
function countPruned(
  { log, chains, entries }: Material,
  { from, to }: { readonly from: number; readonly to: number },
  failures: Failures,
): number {
  let pruned = 0;
  for (let index = from; index < Math.min(to, log.size); index += 1) {
    if (entries.proved.has(index)) continue;
    const name = log.nameOf(index);
    if (name === null || !chains.isPruned(name.chain, name.seq)) {
      const entry =
        name === null ? `The entry with index ${index}` : `Entry ${name.seq} of ${name.chain} (index ${index})`;
      failures.add(`${entry} is in the log, but is not in this ZIP file or was changed.`);
      return pruned;
    }
    pruned += 1;
  }
  return pruned;
}

/** The entry that published the checkpoint was written right after it, and the log has it. */
function startLimit({ archive, file: { since }, entries }: Material, first: NamedCheckpoint | null): string | null {
  // Nothing of the log is before a checkpoint without entries.
  if (first === null || first.size === 0) return null;
  const at = publishedAt(archive, entries, first);
  if (at !== null && at < since) return null;
  return `No entry shows that ${first.file} is older than the period, so entries at its beginning may be missing.`;
}

/** A checkpoint is younger than each entry that it covers. */
function endLimit({ archive, file: { until }, entries }: Material, last: NamedCheckpoint | null): string | null {
  if (last === null || entries.firstAfter < last.size) return null;
  const at = publishedAt(archive, entries, last);
  if (at !== null && at >= until) return null;
  const latest = entries.latestProved === '' ? 'no entry' : `no entry after ${instant(entries.latestProved)}`;
  return `The checkpoint covers ${latest}, so entries from then to the end of the period, ${instant(until)}, may be missing.`;
}

function publishedAt(archive: Archive, entries: EntryVerifier, { file }: NamedCheckpoint): string | null {
  try {
    return entries.published.get(archive.text(file)) ?? null;
  } catch (error) {
    if (error instanceof EvidenceError) return null;
    throw error;
  }
}

function prunedLimit(pruned: number): string | null {
  if (pruned === 0) return null;
  return `Retention has removed ${count(pruned, 'entry', 'entries')} of the period. The log still has their hashes.`;
}

function completeText(first: NamedCheckpoint | null, last: NamedCheckpoint | null, entries: number): string {
  const from = first === null ? 'from its beginning' : `from the checkpoint of ${instant(first.at)}`;
  return `All ${count(entries, 'entry', 'entries')} that were added to the log ${from} to the checkpoint of ${instant(last?.at ?? '')} are in the ZIP file.`;
}
