import * as z from 'zod';
import { addChange, parseStoredKey } from '../../domain/decision/changed-accounts.ts';
import { type RecentChanges, ROLLING_MS } from '../../domain/decision/guardrails.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Registers } from '../../ports/registers.ts';
import type { LastChange } from '../../ports/restore.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped } from '../coordination/typed-register.ts';

/**
 * Changes in a store that a restore has replaced, which the caps must still count for 24 hours.
 * By `storedKey`: the times of the account's last change and its last opt-out, epoch ms.
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
  for (const [key, [at, optOutAt]] of Object.entries(carried.value)) {
    if (at < since) continue;
    const { accountId, approved } = parseStoredKey(key);
    const under = approved === null ? { counted: true, approved: [] } : { counted: false, approved: [approved] };
    const change = { optOut: (optOutAt ?? 0) >= since, ...under };
    changed.set(accountId, addChange(changed.get(accountId), change));
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
export function carriedFrom(parts: readonly ReadonlyMap<string, LastChange>[], now: EpochMs): Carried {
  const carried: Record<string, [number, number | null]> = {};
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

/** The number of accounts that count against a cap. @param since the start of the last 24 hours, epoch ms */
export function countsIn(carried: Carried, since: EpochMs): { readonly changed: number; readonly optedOut: number } {
  const all = Object.entries(carried).map(([key, [, optOutAt]]) => {
    return { ...parseStoredKey(key), optedOut: (optOutAt ?? 0) >= since };
  });
  const countOf = (some: typeof all): number => new Set(some.map(({ accountId }) => accountId)).size;
  return {
    changed: countOf(all.filter(({ approved, optedOut }) => approved === null || optedOut)),
    optedOut: countOf(all.filter(({ optedOut }) => optedOut)),
  };
}

/** Removes the register when all its changes are older than 24 hours. */
export async function pruneCarried(registers: Registers, now: EpochMs): Promise<void> {
  const known = await readTyped(registers, CHANGES_BEFORE_RESTORE);
  if (known === null || Object.values(known.value).some(([at]) => at >= now - ROLLING_MS)) return;
  await registers.remove(CHANGES_BEFORE_RESTORE.name, known.version);
}
