import { ENROLLMENT_IDS } from '../../../domain/enrollment/kinds/index.ts';
import { ENTRY_TYPES, type EntryType, STEP_TYPES } from '../../../domain/ledger/entry-types.ts';
import type { RunOutline, RunStep } from '../../../ports/ledger.ts';
import { type Item, readTextOrNull } from './attributes.ts';
import { entryKey, entryShards } from './ledger-items.ts';
import { indexItems, keyOf } from './ledger-query.ts';
import type { Dynamo } from './table-client.ts';

/** Index items per request, over all shards. */
const WANTED = 8_000;

/** Summarizes a run from the index of runs alone. Of an account's steps, the one with the highest `seq` is the last. */
export async function readOutline(dynamo: Dynamo, runId: string): Promise<RunOutline> {
  const entries: Partial<Record<EntryType, number>> = {};
  const steps = new Map<string, RunStep>();
  const sources = [{ index: 'run-time', hashes: entryShards(runId), consistent: false }];
  for await (const item of indexItems(dynamo, sources, {}, false, WANTED)) {
    // The index key contains only the beginning of a long run id, so other runs may have the same key.
    if (readTextOrNull(item, 'runId') !== runId.toWellFormed()) continue;
    const type = ENTRY_TYPES.find((each) => each === readTextOrNull(item, 'type'));
    if (type !== undefined) entries[type] = (entries[type] ?? 0) + 1;
    const step = toStep(item);
    if (step === null) continue;
    const key = `${step.accountId} ${step.enrollment}`;
    const known = steps.get(key);
    steps.set(key, known === undefined ? step : merged(known, step));
  }
  return { entries, steps: [...steps.values()] };
}

function merged(a: RunStep, b: RunStep): RunStep {
  const resolved = [a, b].flatMap(({ resolvedSeq }) => resolvedSeq ?? []);
  return {
    ...(a.seq < b.seq ? b : a),
    begun: a.begun || b.begun,
    resolvedSeq: resolved.length === 0 ? null : Math.min(...resolved),
  };
}

function toStep(item: Item): RunStep | null {
  const type = STEP_TYPES.find((each) => each === readTextOrNull(item, 'type'));
  const enrollment = ENROLLMENT_IDS.find((each) => each === readTextOrNull(item, 'enrollment'));
  const accountId = readTextOrNull(item, 'accountId');
  if (type === undefined || enrollment === undefined || accountId === null) return null;
  const { pk, sk } = keyOf(item);
  // Only entries in the account's own chain are steps. Dead letters, for example, are in the organization's chain.
  if (pk !== entryKey(accountId, 0).pk) return null;
  const seq = Number(sk);
  const resolvedSeq = type === 'DriftResolved' ? seq : null;
  return { accountId, enrollment, type, seq, begun: type === 'RemediationStarted', resolvedSeq };
}
