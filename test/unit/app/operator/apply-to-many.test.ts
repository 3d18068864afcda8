import { describe, expect, it } from 'vitest';
import { halt, readControls, suspend, unhalt } from '../../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../../shared/app/operator/apply-controls.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/index.ts';
import { HOUR } from '../../../support/domain-kit.ts';
import { reconcilerBed } from '../../../support/reconciler-bed.ts';
import { type SlowSnooze, slowSnooze } from '../../../support/released-accounts.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const MEMBERS = 150;

/** Every member drifts, and a halt held its change back. */
async function allHalted(): Promise<void> {
  await bed.open({ members: MEMBERS });
  await bed.shop.scan();
  await halt(bed.shop.deps(), 'incident 7');
  await settleControls(bed.shop.deps());
  await bed.shop.workOff(await bed.shop.process());
  await bed.shop.clock.advance(HOUR);
}

const settle = ({ records, clock }: SlowSnooze, until: number) =>
  settleControls(bed.shop.deps({ records, clock }), until);

async function queuedAccounts(): Promise<readonly string[]> {
  const messages = await bed.shop.messages();
  return messages.map((message) => (message.kind === 'account' ? message.accountId : expect.fail(message.kind))).sort();
}

const resumptions = async (): Promise<number> =>
  (await bed.shop.chain('organization')).filter(({ type }) => type === 'EnforcementResumed').length;

describe('the end of a halt that held back many accounts', () => {
  it('makes up to 32 accounts due in parallel', async () => {
    await allHalted();
    await unhalt(bed.shop.deps());
    const { records, most } = slowSnooze(bed.shop, 0);
    // No account is enqueued, because that snoozes accounts too.
    expect(await settleControls(bed.shop.deps({ records: { ...records, due: async () => [] } }))).toBe(1);
    expect(most()).toBe(32);
  });

  it('is recorded immediately, and the next process continues where the first one stopped', async () => {
    await allHalted();
    await unhalt(bed.shop.deps());
    const first = slowSnooze(bed.shop, 100);
    expect(await settle(first, first.clock.now() + 5_000)).toBe(0);
    expect(await resumptions()).toBe(1);
    expect((await readControls(bed.shop.store.registers)).notices).toHaveLength(1);
    const woken = new Set(first.snoozed);
    expect(woken.size).toBeLessThan(MEMBERS);
    await bed.shop.clock.advance(first.clock.now() - bed.shop.clock.now());
    const second = slowSnooze(bed.shop, 0);
    expect(await settle(second, Number.POSITIVE_INFINITY)).toBe(1);
    expect(await resumptions()).toBe(1);
    expect((await readControls(bed.shop.store.registers)).notices).toEqual([]);
    expect(await queuedAccounts()).toEqual(bed.shop.members.map(({ id }) => id));
  });
});

it('a suspension of many accounts is recorded in chunks, and the next process continues after the last one', async () => {
  await bed.open({ members: 501 });
  await bed.shop.scan();
  await bed.shop.messages();
  const all = parseOperatorSelector('all');
  if (!all.ok) expect.fail(all.message);
  await suspend(bed.shop.deps(), { selector: all.selector, until: null, reason: null });
  const isSuspended = async (id: string) => (await bed.shop.condition(id)).verdict === 'Suspended';
  // No time is left, so only the first 500 accounts are recorded.
  expect(await settleControls(bed.shop.deps(), 0)).toBe(0);
  expect(await isSuspended(accountId(0))).toBe(true);
  expect(await isSuspended(accountId(500))).toBe(false);
  expect(await settleControls(bed.shop.deps())).toBe(1);
  expect(await isSuspended(accountId(500))).toBe(true);
  const entries = (await bed.shop.chain(accountId(0))).filter(({ type }) => type === 'AccountSuspended');
  expect(entries).toHaveLength(1);
});
