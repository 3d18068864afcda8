import * as z from 'zod';
import { capOf } from '../../domain/decision/guardrails.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Guardrails } from '../../domain/policy/index.ts';
import type { Stores } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { changedRecently, usedOf } from '../guardrails/rolling-changes.ts';

const covered = z.object({ coverage: z.object({ evaluated: z.number(), unknown: z.number() }) });

/** How much of the guardrails the last 24 hours have used. */
export async function guardrailUsage(
  { ledger, registers }: Pick<Stores, 'ledger' | 'registers'>,
  { maxChanges, maxOptOuts }: Guardrails,
  now: EpochMs,
) {
  const [changed, scans] = await Promise.all([
    changedRecently({ ledger, registers }, now),
    ledger.query({ type: 'ScanCompleted' }, { limit: 1 }),
  ]);
  const [scan] = scans.entries;
  const run = scan?.runId === undefined || scan.runId === null ? null : await new RunStore(registers).get(scan.runId);
  const summary = covered.safeParse(scan?.detail?.summary);
  const { evaluated, unknown } = summary.success ? summary.data.coverage : { evaluated: 0, unknown: 0 };
  const used = usedOf(changed);
  return {
    changedAccounts: used.changes,
    approvedAccounts: changed.size - used.changes,
    optOuts: used.optOuts,
    // The percentages refer to the accounts that the last scan found in scope.
    changeCap: run === null ? null : capOf(maxChanges, run.accountsInScope),
    optOutCap: run === null ? null : capOf(maxOptOuts, run.accountsInScope),
    coverage: evaluated + unknown === 0 ? null : (evaluated / (evaluated + unknown)) * 100,
  };
}
