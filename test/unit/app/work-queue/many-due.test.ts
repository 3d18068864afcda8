import { describe, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { queueDue } from '../../../../shared/app/work-queue/requeue-due.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { HOUR } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { releaseAll, slowSnooze } from '../../../support/released-accounts.ts';

const bed = reconcilerBed();
const MEMBERS = 250;

/** Every member waits for the confirmation of its change, and is due. */
async function allDue(): Promise<void> {
  await bed.open({ members: MEMBERS, cloud: { pendingMs: HOUR } });
  await bed.shop.scan();
  await bed.shop.workOff(await bed.shop.process());
  await bed.shop.clock.advance(HOUR);
}

/** Every member drifts, and its suspension has just ended. */
async function allReleased(): Promise<void> {
  await bed.open({ members: MEMBERS });
  await bed.shop.scan();
  await bed.shop.messages();
  await releaseAll(bed.shop);
}

function countRunReads(registers: Registers, names: string[]): Registers {
  return {
    read: (name) => {
      if (name.startsWith('run/')) names.push(name);
      return registers.read(name);
    },
    write: (name, value, expected) => registers.write(name, value, expected),
    remove: (name, expected) => registers.remove(name, expected),
    list: (prefix) => registers.list(prefix),
  };
}

describe('many keys that become due together', () => {
  it('are enqueued with one read of their run per page and up to 32 accounts snoozed in parallel', async () => {
    await allDue();
    const names: string[] = [];
    const registers = countRunReads(bed.shop.store.registers, names);
    const { records, most } = slowSnooze(bed.shop, 0);
    const { hash } = bed.shop.policy;
    expect(await queueDue(bed.shop.deps({ registers, records }), new RunStore(registers), hash)).toBe(MEMBERS);
    expect(names).toHaveLength(3);
    expect(most()).toBe(32);
  });

  it('are enqueued page by page until the time is over, and the next pass enqueues the others', async () => {
    await allDue();
    const { registers } = bed.shop.store;
    const { records, clock } = slowSnooze(bed.shop, 100);
    const deps = bed.shop.deps({ records, clock });
    const pass = () => queueDue(deps, new RunStore(registers), bed.shop.policy.hash, { until: clock.now() + 5_000 });
    expect([await pass(), await pass(), await pass(), await pass()]).toEqual([100, 100, 50, 0]);
    const keys = (await bed.shop.messages()).map((message) => (message.kind === 'account' ? message.accountId : ''));
    expect(new Set(keys).size).toBe(MEMBERS);
    expect(keys).toHaveLength(MEMBERS);
  });

  it('wait for the requested scan if they were released together, even if one pass has no time for all of them', async () => {
    await allReleased();
    const { registers } = bed.shop.store;
    const { records, clock } = slowSnooze(bed.shop, 100);
    const deps = bed.shop.deps({ records, clock });
    const pass = () => queueDue(deps, new RunStore(registers), bed.shop.policy.hash, { until: clock.now() + 5_000 });
    // The management account complies, so it is only read again.
    expect([await pass(), await pass(), await pass(), await pass()]).toEqual([1, 0, 0, 0]);
    expect(await records.due(clock.now(), MEMBERS)).toEqual([]);
    expect(await bed.shop.messages()).toHaveLength(1);
  });

  it('are reconciled individually if the requested scan has not planned them within ten minutes', async () => {
    await allReleased();
    const { registers, records } = bed.shop.store;
    const pass = () => queueDue(bed.shop.deps(), new RunStore(registers), bed.shop.policy.hash);
    expect(await pass()).toBe(1);
    await bed.shop.messages();
    await bed.shop.clock.advance(HOUR / 6 - 1);
    expect(await records.due(bed.shop.clock.now(), MEMBERS)).toEqual([]);
    await bed.shop.clock.advance(1);
    expect(await pass()).toBe(MEMBERS + 1);
  });
});
