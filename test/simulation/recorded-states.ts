import { POLICY } from '../../shared/app/coordination/policy-in-force.ts';
import { RUNS } from '../../shared/app/coordination/run-store.ts';
import { readValue, type StoredDocument } from '../../shared/app/coordination/typed-register.ts';
import { ROLLOUT } from '../../shared/app/guardrails/rollout-gate.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { MemoryStores } from './memory-stores.ts';

/**
 * Finds states of registers whose entry in the organization's chain is missing or was written twice. A register that still holds its entry has not lost it.
 * After a restore nothing is checked, because it merges the states of two stores, but not their entries.
 */
export function unrecordedStates({ inside }: MemoryStores): string[] {
  const entries = inside.chains.get(ORGANIZATION_CHAIN) ?? [];
  if (entries.some(({ type }) => type === 'StoreRestored')) return [];
  const registers = inside.registers();
  const read = <T>(document: StoredDocument<T>): T | null => {
    const value = registers.get(document.name);
    return value === undefined ? null : readValue(document, value);
  };
  const found: string[] = [];
  const policy = read(POLICY);
  if (policy?.unrecorded === null && last(entries, isPolicy)?.policyHash !== policy.hash)
    found.push(`the policy ${policy.hash} has no entry`);
  const gate = read(ROLLOUT);
  // A scan has just set up such a gate, which is not recorded in an entry.
  const isNew = gate?.phase === 'scanning' || gate?.startedAt === null;
  if (gate?.unrecorded === null && !isNew && phaseIn(last(entries, isPhase)) !== gate.phase)
    found.push(`the phase ${gate.phase} of the rollout has no entry`);
  for (const [name, value] of registers) {
    if (!name.startsWith(RUNS.prefix)) continue;
    const { runId, stopped, unrecorded } = readValue({ ...RUNS, name }, value);
    if (stopped?.reason !== 'failureTolerance' || unrecorded !== null) continue;
    const count = entries.filter((entry) => entry.runId === runId && isStop(entry)).length;
    if (count !== 1) found.push(`the stop of run ${runId} has ${count} entries`);
  }
  return found;
}

const isPolicy = ({ type }: LedgerEntry): boolean => type === 'PolicyChanged';
const isStop = ({ type, reason }: LedgerEntry): boolean => type === 'GuardrailTripped' && reason === 'failureTolerance';
const isPhase = ({ type, reason }: LedgerEntry): boolean =>
  type === 'RolloutAdvanced' || (type === 'GuardrailTripped' && reason === 'rollout');

function last(entries: readonly LedgerEntry[], is: (entry: LedgerEntry) => boolean): LedgerEntry | null {
  return entries.findLast(is) ?? null;
}

/** The phase whose beginning the entry records. */
function phaseIn(entry: LedgerEntry | null): string | null {
  if (entry?.type === 'GuardrailTripped') return 'blocked';
  return entry?.reason === 'approved' || entry?.reason === 'noCanary' ? 'open' : (entry?.reason ?? null);
}
