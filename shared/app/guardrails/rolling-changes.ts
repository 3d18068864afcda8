import * as z from 'zod';
import { ROLLING_MS } from '../../domain/decision/guardrails.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import type { LastChange } from '../../ports/restore.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped } from '../coordination/typed-register.ts';

/**
 * Changes in a store that a restore has replaced, which the caps must still count for 24 hours.
 * By account: the times of its last change and its last opt-out, epoch ms.
 */
const carriedSchema = z.record(z.string(), z.tuple([z.number(), z.number().nullable()]));
export const CHANGES_BEFORE_RESTORE = storedDocument(REGISTERS.changesBeforeRestore, carriedSchema);
export type Carried = z.infer<typeof carriedSchema>;

export type RollingDeps = { readonly ledger: Pick<Ledger, 'changedSince'>; readonly registers: Registers };

/** The accounts changed in the 24 hours before `now`, and whether any of their changes was an opt-out. */
export async function changedRecently(
  { ledger, registers }: RollingDeps,
  now: EpochMs,
): Promise<ReadonlyMap<AccountId, { readonly optOut: boolean }>> {
  const since = now - ROLLING_MS;
  const [logged, carried] = await Promise.all([
    ledger.changedSince(new Date(since).toISOString()),
    readTyped(registers, CHANGES_BEFORE_RESTORE),
  ]);
  if (carried === null) return logged;
  const changed = new Map(logged);
  for (const [id, [at, optOutAt]] of Object.entries(carried.value)) {
    const optOut = (optOutAt ?? 0) >= since || changed.get(id)?.optOut === true;
    if (at >= since) changed.set(id, { optOut });
  }
  return changed;
}

/** The changes of the last 24 hours in several stores. */
export function carriedFrom(parts: readonly ReadonlyMap<AccountId, LastChange>[], now: EpochMs): Carried {
  const carried: Record<AccountId, [number, number | null]> = {};
  for (const part of parts) {
    for (const [id, { at, optOutAt }] of part) {
      if (at < now - ROLLING_MS) continue;
      const [known, knownOptOut] = carried[id] ?? [at, null];
      const optOuts = [optOutAt, knownOptOut].filter((time) => time !== null);
      carried[id] = [Math.max(at, known), optOuts.length === 0 ? null : Math.max(...optOuts)];
    }
  }
  return carried;
}

/** Removes the register when all its changes are older than 24 hours. */
export async function pruneCarried(registers: Registers, now: EpochMs): Promise<void> {
  const known = await readTyped(registers, CHANGES_BEFORE_RESTORE);
  if (known === null || Object.values(known.value).some(([at]) => at >= now - ROLLING_MS)) return;
  await registers.remove(CHANGES_BEFORE_RESTORE.name, known.version);
}
