import type { Chains } from './chains.ts';
import type { EntryVerifier } from './entries.ts';
import type { EvidenceFile, NamedCheckpoint } from './evidence-file.ts';
import { type Check, count, Failures, instant } from './finding.ts';
import type { Log } from './log.ts';

/** Checks that every entry that was added to the log between two checkpoints is in the ZIP file. */
export function checkComplete(file: EvidenceFile, log: Log, chains: Chains, { proved }: EntryVerifier): Check {
  const { complete, checkpoints, since } = file;
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
  let pruned = 0;
  for (let index = from; index < Math.min(to, log.size); index += 1) {
    if (proved.has(index)) continue;
    const name = log.nameOf(index);
    if (name !== null && chains.isPruned(name.chain, name.seq)) pruned += 1;
    else {
      const entry =
        name === null ? `The entry with index ${index}` : `Entry ${name.seq} of ${name.chain} (index ${index})`;
      failures.add(`${entry} is in the log, but is not in this ZIP file or was changed.`);
    }
  }
  const limit =
    pruned === 0
      ? null
      : `Retention has removed ${count(pruned, 'entry', 'entries')} of the period. The log still has their hashes.`;
  return failures.check('complete', completeText(first, last, to - from), limit);
}

function completeText(first: NamedCheckpoint | null, last: NamedCheckpoint | null, entries: number): string {
  const from = first === null ? 'from its beginning' : `from the checkpoint of ${instant(first.at)}`;
  return `All ${count(entries, 'entry', 'entries')} that were added to the log ${from} to the checkpoint of ${instant(last?.at ?? '')} are in the ZIP file.`;
}
