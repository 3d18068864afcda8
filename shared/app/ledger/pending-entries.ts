import type { EntryContext } from '../../domain/account/transition.ts';
import { ORGANIZATION_CHAIN, sealEntry } from '../../domain/ledger/entry.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Deps } from '../context.ts';
import type { PendingEntry } from '../coordination/pending-entry.ts';
import { readTyped, type StoredDocument, type Typed, writeTyped } from '../coordination/typed-register.ts';
import { organizationEntry } from './organization-entry.ts';

/*
 * How a change of a register and its entry in the organization's chain are made together:
 *
 *   register: change + entry ──▶ audit log: entry ──▶ register: without the entry
 *             │                       │
 *             └───────────┬───────────┘
 *                         └ the process ends: the next reader of the register continues
 *
 * The register names the place of the entry in the chain, so that all processes append the same entry at the same place, where the audit log accepts it
 * once. If another entry takes the place, the register gets the next place before the entry is appended there.
 */

/** The content of a register whose changes are recorded. */
interface Recorded {
  readonly unrecorded: PendingEntry | null;
}

/** An entry to be stored with the change that it records. */
export async function pendingEntry(
  ledger: Pick<Ledger, 'head'>,
  context: EntryContext,
  { type, reason, detail }: Pick<PendingEntry, 'type' | 'reason' | 'detail'>,
): Promise<PendingEntry> {
  const { id, at, actor, runId, policyHash } = organizationEntry(context, type, { reason });
  return { id, at, type, runId, actor, reason, policyHash, detail, after: await ledger.head(ORGANIZATION_CHAIN) };
}

/**
 * Reads a register, after its pending entry, if any, was written to the audit log.
 * @param noting gives the value another pending entry
 */
export async function readRecorded<T extends Recorded>(
  { ledger, registers }: Pick<Deps, 'ledger' | 'registers'>,
  document: StoredDocument<T>,
  noting: (value: T, unrecorded: PendingEntry | null) => NoInfer<T>,
): Promise<Typed<T> | null> {
  for (;;) {
    const known = await readTyped(registers, document);
    const pending = known?.value.unrecorded ?? null;
    if (known === null || pending === null) return known;
    const left = await append(ledger, pending);
    await writeTyped(registers, document, noting(known.value, left), known.version);
  }
}

/** @returns `null` if the entry is in the audit log; otherwise the entry with its next place */
async function append(ledger: Ledger, pending: PendingEntry): Promise<PendingEntry | null> {
  const { id, at, type, runId, actor, reason, policyHash, detail, after } = pending;
  const context = { newId: () => id, now: Date.parse(at), actor, runId, policyHash };
  const [outcome] = await ledger.append([sealEntry(organizationEntry(context, type, { reason, detail }), after)]);
  return outcome === 'appended' ? null : { ...pending, after: await ledger.head(ORGANIZATION_CHAIN) };
}
