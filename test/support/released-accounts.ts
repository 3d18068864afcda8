import { expect } from 'vitest';
import { resume, suspend } from '../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../shared/app/operator/apply-controls.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Clock } from '../../shared/ports/system.ts';
import type { Workshop } from './workshop.ts';

/** Suspends every account, and ends the suspension. Afterwards the accounts are due, but none is enqueued. */
export async function releaseAll(shop: Workshop): Promise<void> {
  const all = parseOperatorSelector('all');
  if (!all.ok) expect.fail(all.message);
  await suspend(shop.deps(), { selector: all.selector, until: null, reason: null });
  await settleControls(shop.deps());
  await resume(shop.deps(), all.selector);
  await settleControls(shop.deps({ records: { ...shop.store.records, due: async () => [] } }));
}

export interface SlowSnooze {
  readonly records: Records;
  /** The clock of the workshop, later by the time that the calls of `snooze` took. */
  readonly clock: Clock;
  /** The accounts of the calls of `snooze`, in order. */
  readonly snoozed: readonly string[];
  /** The largest number of calls in flight. */
  most(): number;
}

/** The records of the workshop, counting calls of `snooze`. @param eachMs how long each call takes, ms */
export function slowSnooze({ store, clock }: Workshop, eachMs: number): SlowSnooze {
  const snoozed: string[] = [];
  let inFlight = 0;
  let most = 0;
  const snooze: Records['snooze'] = async (accountId, headSeq, until) => {
    snoozed.push(accountId);
    inFlight += 1;
    most = Math.max(most, inFlight);
    await store.records.snooze(accountId, headSeq, until);
    inFlight -= 1;
  };
  return {
    records: { ...store.records, snooze },
    clock: { now: () => clock.now() + snoozed.length * eachMs, sleep: (ms, signal) => clock.sleep(ms, signal) },
    snoozed,
    most: () => most,
  };
}
