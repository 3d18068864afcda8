import { describe, expect, it } from 'vitest';
import { makeNewId } from '../../../../../shared/adapters/system/ids.ts';
import { halt } from '../../../../../shared/app/guardrails/controls.ts';
import { Instruments } from '../../../../../shared/app/queries/instruments/instruments.ts';
import { WorkMeter } from '../../../../../shared/app/queries/instruments/work-meter.ts';
import { CallMeter } from '../../../../../shared/app/rate-limiter/call-meter.ts';
import type { CompiledPolicy } from '../../../../../shared/domain/policy/index.ts';
import { store } from '../../../../services/api/support.ts';
import { manualClock } from '../../../../support/manual-clock.ts';
import { compiled, policyText } from '../../../../support/world-policy.ts';

/** The metrics of a remote store, with a counter of how often all records were read. */
async function remote(maxAgeMs: number) {
  const clock = manualClock();
  const stores = await store(clock);
  const reads = { count: 0 };
  const all = () => {
    reads.count += 1;
    return stores.records.all();
  };
  const meters = { calls: new CallMeter(clock), work: new WorkMeter() };
  const instruments = new Instruments({
    ...{ stores: { ...stores, records: { ...stores.records, all } }, clock, deployedBus: 'bus', maxAgeMs },
    process: { version: '0.0.0', runtime: 'aws', startedAt: clock.now(), ...meters },
  });
  const metric = async (name: string, policy: CompiledPolicy | null = null) =>
    (await instruments.read(policy)).find((family) => family.name === name)?.samples[0]?.value ?? null;
  const stop = () => halt({ ...stores, clock, newId: makeNewId(clock), actor: 'user:test' }, 'test');
  return { clock, reads, meters, metric, stop };
}

describe('the metrics of a remote store', () => {
  it('are read once for all scrapes of a period', async () => {
    const { clock, reads, metric, stop } = await remote(60_000);
    expect(await metric('rollcall_halted')).toBe(0);
    await stop();
    await clock.advance(59_000);
    expect(await metric('rollcall_halted')).toBe(0);
    expect(reads.count).toBe(1);
    await clock.advance(1_000);
    expect(await metric('rollcall_halted')).toBe(1);
    expect(reads.count).toBe(2);
  });

  it('are read once for scrapes at the same time', async () => {
    const { reads, metric } = await remote(0);
    await Promise.all([metric('rollcall_halted'), metric('rollcall_halted'), metric('rollcall_halted')]);
    // Scrapes that arrive during a read share the next one.
    expect(reads.count).toBe(2);
  });

  it('are read again for another policy, and counters are always current', async () => {
    const { reads, meters, metric } = await remote(60_000);
    await metric('rollcall_halted');
    meters.calls.take({ 'sts:AssumeRole': { count: 3, throttled: 0 } });
    expect(await metric('rollcall_aws_calls')).toBe(3);
    expect(reads.count).toBe(1);
    await metric('rollcall_halted', compiled(policyText(), 0));
    expect(reads.count).toBe(2);
  });
});
