import * as z from 'zod';
import { addChange } from '../../domain/decision/changed-accounts.ts';
import { type RecentChanges, ROLLING_MS } from '../../domain/decision/guardrails.ts';
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

/** The accounts changed in the 24 hours before `now`. */
export async function changedRecently({ ledger, registers }: RollingDeps, now: EpochMs): Promise<RecentChanges> {
  const since = now - ROLLING_MS;
  const [logged, carried] = await Promise.all([
    ledger.changedSince(new Date(since).toISOString()),
    readTyped(registers, CHANGES_BEFORE_RESTORE),
  ]);
  if (carried === null) return logged;
  const changed = new Map(logged);
  for (const [id, [at, optOutAt]] of Object.entries(carried.value)) {
    if (at < since) continue;
    const change = { optOut: (optOutAt ?? 0) >= since, counted: true, approved: [] };
    changed.set(id, addChange(changed.get(id), change));
  }
  return changed;
}

/** The accounts that count against `maxChanges`, and those that count against `maxOptOuts`. */
export function usedOf(recent: RecentChanges): { readonly changes: number; readonly optOuts: number } {
  const all = [...recent.values()];
  return {
    changes: all.filter(({ counted }) => counted).length,
    optOuts: all.filter(({ optOut }) => optOut).length,
  };
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
