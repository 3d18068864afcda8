import type { EntryContext } from '../../domain/account/transition.ts';
import { ORGANIZATION_CHAIN, sealEntry } from '../../domain/ledger/entry.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Deps } from '../context.ts';
import type { PendingEntry } from '../coordination/pending-entry.ts';
import { readTyped, type StoredDocument, type Typed, writeTyped } from '../coordination/typed-register.ts';
import { organizationEntry } from './organization-entry.ts';

/*
 * How a register is changed and the change is recorded in the organization's chain, although a process can end between the two writes:
 *
 *   register: change + entry ──▶ audit log: entry ──▶ register: without the entry
 *             │                       │
 *             └───────────┬───────────┘
 *                         └ the process ends: the next reader of the register continues
 *
 * The register names the place of the entry in the chain. All processes append the same entry at the same place, so the audit log has it only once. If
 * another entry takes that place, the next place is stored in the register before the entry is appended there.
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
 * Appends the pending entry of a register, if any, to the audit log, and then reads the register.
 * @param noting returns the value with another pending entry, or with none
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
