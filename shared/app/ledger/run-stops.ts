import * as z from 'zod';
import type { Deps, RunContext } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { RUNS, type RunStore } from '../coordination/run-store.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { entryContext } from './organization-entry.ts';
import { pendingEntry, readRecorded } from './pending-entries.ts';

/** The runs whose state may hold an entry that is not in the audit log yet. Without this list, the state of every run would have to be read. */
export const RUN_STOPS = storedDocument(REGISTERS.runStops, z.object({ runIds: z.array(z.string()) }));

type StopDeps = Pick<Deps, 'registers' | 'ledger' | 'clock' | 'newId' | 'actor' | 'random'>;

/** Counts a failed call. If the failure stops the run, the audit log gets an entry. */
export async function countFailure(deps: StopDeps, runs: RunStore, run: RunContext): Promise<void> {
  const trip = await runs.countFailure(run.runId, run.policy, async ({ reason, message }) => {
    // Stored before the run is stopped, so that no process overlooks the entry.
    await update(deps.registers, RUN_STOPS, (current) => ({
      runIds: [...new Set([...(current?.runIds ?? []), run.runId])],
    }));
    const entry = { type: 'GuardrailTripped', reason, detail: { message } } as const;
    return pendingEntry(deps.ledger, entryContext(deps, run), entry);
  });
  if (trip !== null) await recordStop(deps, run.runId);
}

/** Writes the entries of stopped runs whose process ended before it wrote them. @returns the number of runs checked */
export async function recordStops(deps: Pick<Deps, 'registers' | 'ledger'>): Promise<number> {
  const runIds = (await readTyped(deps.registers, RUN_STOPS))?.value.runIds ?? [];
  for (const runId of runIds) await recordStop(deps, runId);
  return runIds.length;
}

async function recordStop(deps: Pick<Deps, 'registers' | 'ledger'>, runId: string): Promise<void> {
  const run = await readRecorded(deps, RUNS.named(runId), (state, unrecorded) => ({ ...state, unrecorded }));
  // Another process is about to stop it, or has ended before it did so. In that case, the next failure stops the run.
  if (run !== null && run.value.stopped === null) return;
  await update(deps.registers, RUN_STOPS, (current) => ({
    runIds: (current?.runIds ?? []).filter((each) => each !== runId),
  }));
}
