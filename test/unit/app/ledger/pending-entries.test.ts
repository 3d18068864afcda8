import { describe, expect, it } from 'vitest';
import { RUNS, RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { readTyped } from '../../../../shared/app/coordination/typed-register.ts';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { readRollout } from '../../../../shared/app/guardrails/rollout-gate.ts';
import { commandContext, organizationEntry } from '../../../../shared/app/ledger/organization-entry.ts';
import { countFailure, RUN_STOPS, recordStops } from '../../../../shared/app/ledger/run-stops.ts';
import { writeOrganizationEntry } from '../../../../shared/app/ledger/write-entries.ts';
import { advanceRollout, beginRollout } from '../../../../shared/app/rollout/rollout-controller.ts';
import { scan } from '../../../../shared/app/scan/scan.ts';
import type { LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import type { EntryType } from '../../../../shared/domain/ledger/entry-types.ts';
import type { Ledger } from '../../../../shared/ports/ledger.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { isChange, NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { storeBusy } from '../../../support/store-busy.ts';
import { accountId, type Workshop } from '../../../support/workshop.ts';

const MINUTE = 60_000;
const bed = reconcilerBed();
const canary = `rollout: { canary: { match: { accounts: ["${accountId(0)}"] }, wait: 10m } }`;
const STAGED = policyOf('computeOptimizer: Active', `${NO_CAPS}\n${canary}`);

/** Fails the first append of an entry of this type, before or after the entry is stored. */
function failingOnce(shop: Workshop, type: EntryType, when: 'before' | 'after'): Ledger {
  const { ledger } = shop.store;
  let failed = false;
  return {
    ...ledger,
    append: async (entries) => {
      if (failed || !entries.some((entry) => entry.type === type)) return ledger.append(entries);
      failed = true;
      if (when === 'after') await ledger.append(entries);
      throw storeBusy();
    },
  };
}

/** Takes the place in the chain that a pending entry was to have. */
const otherEntry = (shop: Workshop) =>
  writeOrganizationEntry(shop.deps(), () => organizationEntry(commandContext(shop.deps()), 'ScanRequested', {}));

async function entriesOf(shop: Workshop, ...types: readonly EntryType[]): Promise<readonly LedgerEntry[]> {
  return (await shop.chain('organization')).filter(({ type }) => types.includes(type));
}

async function phases(shop: Workshop): Promise<readonly string[]> {
  const entries = await entriesOf(shop, 'RolloutAdvanced', 'GuardrailTripped');
  return entries.map(({ type, reason }) => `${type} ${reason}`);
}

describe.each(['before', 'after'] as const)(
  'if an append fails %s the entry is stored, it is recorded once',
  (when) => {
    it('that the policy has changed, with its text', async () => {
      const shop = await bed.open({ members: 2 });
      await shop.scan();
      const policy = policyOf('computeOptimizer: Inactive', NO_CAPS);
      const run = { ...shop.run(), policy };
      const ledger = failingOnce(shop, 'PolicyChanged', when);
      const scanning = scan(
        ...([shop.deps({ ledger }), shop.settings, shop.retrying(), run, () => undefined] as const),
        new AbortController().signal,
      );
      await expect(shop.settle(scanning)).rejects.toThrow('held the lock');
      await otherEntry(shop);
      await shop.scan(run);
      await shop.scan({ ...shop.run(), policy });
      const changed = await entriesOf(shop, 'PolicyChanged');
      expect(changed.map(({ policyHash }) => policyHash)).toEqual([shop.policy.hash, policy.hash]);
      expect(changed[1]?.detail).toMatchObject({ policy: { text: policy.policy.source.text } });
      expect(changed[1]?.detail?.message).toBe(`replaces ${shop.policy.hash}`);
    });

    it('that a policy was in force, even if the next scan has another one', async () => {
      const shop = await bed.open();
      const run = shop.run();
      const ledger = failingOnce(shop, 'PolicyChanged', when);
      const scanning = scan(
        ...([shop.deps({ ledger }), shop.settings, shop.retrying(), run, () => undefined] as const),
        new AbortController().signal,
      );
      await expect(shop.settle(scanning)).rejects.toThrow('held the lock');
      const policy = policyOf('computeOptimizer: Inactive', NO_CAPS);
      await shop.scan({ ...shop.run(), policy });
      const changed = await entriesOf(shop, 'PolicyChanged');
      expect(changed.map(({ runId, policyHash }) => [runId, policyHash])).toEqual([
        [run.runId, shop.policy.hash],
        ['run-2', policy.hash],
      ]);
    });

    it('that the rollout begins, is blocked by a canary, and is approved', async () => {
      const shop = await bed.open({ policy: STAGED, members: 3 });
      const first = scan(
        shop.deps({ ledger: failingOnce(shop, 'RolloutAdvanced', when) }),
        ...([shop.settings, shop.retrying(), shop.run(), () => undefined, new AbortController().signal] as const),
      );
      await expect(shop.settle(first)).rejects.toThrow('held the lock');
      await otherEntry(shop);
      const { planHash } = await shop.scan();
      bed.trouble = ({ operation }) =>
        isChange(operation) ? { before: cloudError('Denied', 'AccessDeniedException') } : null;
      await shop.workOff(await shop.process());
      const blocked = advanceRollout(shop.deps({ ledger: failingOnce(shop, 'GuardrailTripped', when) }), STAGED);
      await expect(blocked).rejects.toThrow('held the lock');
      expect((await readRollout(shop.store.registers))?.value.phase).toBe('blocked');
      await otherEntry(shop);
      // Several processes find the entry missing at the same time.
      await Promise.all(Array.from({ length: 4 }, () => advanceRollout(shop.deps(), STAGED)));
      expect(await phases(shop)).toEqual(['RolloutAdvanced canary', 'GuardrailTripped rollout']);
      await approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
      const run = shop.run();
      const begun = beginRollout(shop.deps({ ledger: failingOnce(shop, 'RolloutAdvanced', when) }), run);
      await expect(begun).rejects.toThrow('held the lock');
      expect(await beginRollout(shop.deps(), run)).toBe(planHash);
      expect((await phases(shop)).slice(2)).toEqual(['RolloutAdvanced approved']);
    });

    it('that the canaries comply, and the rest is released', async () => {
      const shop = await bed.open({ policy: STAGED, members: 3 });
      await shop.scan();
      const work = await shop.process();
      await shop.workOff(work);
      const moving = advanceRollout(shop.deps({ ledger: failingOnce(shop, 'RolloutAdvanced', when) }), STAGED);
      await expect(moving).rejects.toThrow('held the lock');
      await shop.clock.advance(10 * MINUTE);
      await advanceRollout(shop.deps(), STAGED);
      await shop.workOff(work);
      await shop.clock.advance(MINUTE);
      const opening = advanceRollout(shop.deps({ ledger: failingOnce(shop, 'RolloutAdvanced', when) }), STAGED);
      await expect(opening).rejects.toThrow('held the lock');
      await shop.clock.advance(MINUTE);
      await advanceRollout(shop.deps(), STAGED);
      await shop.workOff(work);
      expect(await phases(shop)).toEqual([
        ...['RolloutAdvanced canary', 'RolloutAdvanced waiting', 'RolloutAdvanced open'],
      ]);
      expect(await shop.condition(accountId(2))).toMatchObject({ verdict: 'Compliant' });
    });

    it('that failures have stopped a run', async () => {
      const shop = await bed.open({ members: 20 });
      const run = shop.run();
      await shop.scan(run);
      const runs = new RunStore(shop.store.registers);
      const deps = shop.deps({ ledger: failingOnce(shop, 'GuardrailTripped', when) });
      const failures = Array.from({ length: 5 }, () => countFailure(deps, runs, run));
      const ends = await Promise.allSettled(failures);
      expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
      expect(await runs.get(run.runId)).toMatchObject({ failed: 5, stopped: { reason: 'failureTolerance' } });
      await otherEntry(shop);
      await Promise.all(Array.from({ length: 4 }, () => recordStops(shop.deps())));
      const [tripped, ...more] = await entriesOf(shop, 'GuardrailTripped');
      expect(more).toEqual([]);
      expect(tripped).toMatchObject({ reason: 'failureTolerance', runId: run.runId, policyHash: run.policy.hash });
      expect(await readTyped(shop.store.registers, RUN_STOPS)).toMatchObject({ value: { runIds: [] } });
    });
  },
);

describe('a run with failed calls', () => {
  it('is stopped and recorded once if several calls fail at the same time', async () => {
    const shop = await bed.open({ members: 20 });
    const run = shop.run();
    await shop.scan(run);
    const runs = new RunStore(shop.store.registers);
    await Promise.all(Array.from({ length: 10 }, () => countFailure(shop.deps(), runs, run)));
    expect(await runs.get(run.runId)).toMatchObject({ failed: 10, stopped: { reason: 'failureTolerance' } });
    expect(await entriesOf(shop, 'GuardrailTripped')).toHaveLength(1);
  });

  it('is stopped by the next failure if a process ends right before it stops the run', async () => {
    const shop = await bed.open({ members: 20 });
    const run = shop.run();
    await shop.scan(run);
    const runs = new RunStore(shop.store.registers);
    while (((await runs.get(run.runId))?.failed ?? 0) < 4) await countFailure(shop.deps(), runs, run);
    const { registers } = shop.store;
    const write: typeof registers.write = async (name, ...rest) => {
      if (name === RUNS.named(run.runId).name) throw storeBusy();
      return registers.write(name, ...rest);
    };
    const dying = { ...registers, write };
    await expect(countFailure(shop.deps(), new RunStore(dying), run)).rejects.toThrow('held the lock');
    await recordStops(shop.deps());
    expect(await entriesOf(shop, 'GuardrailTripped')).toEqual([]);
    await countFailure(shop.deps(), runs, run);
    expect(await entriesOf(shop, 'GuardrailTripped')).toHaveLength(1);
    expect(await readTyped(registers, RUN_STOPS)).toMatchObject({ value: { runIds: [] } });
  });
});
