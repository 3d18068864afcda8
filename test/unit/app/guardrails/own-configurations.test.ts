import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  confirmConfiguration,
  noteConfiguration,
  noteDeletion,
  ownConfigurations,
  pruneConfigurations,
  storedByRollcall,
} from '../../../../shared/app/guardrails/own-configurations.ts';
import type { RuleMode } from '../../../../shared/domain/enrollment/model.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const HOUR_MS = 3_600_000;
const TARGET = { targetId: 'ou-1', target: '/Workloads' };
const STORED: ReadonlyMap<string, RuleMode> = new Map([['ou-1', 'AnyAllowed']]);

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  await put();
  await confirmConfiguration(shop.store.registers, 'ou-1');
});
afterEach(() => shop.close());

const now = () => shop.clock.now();
const put = (present: RuleMode | null = null) =>
  noteConfiguration(shop.store.registers, {
    ...TARGET,
    ...{ ruleMode: 'AnyAllowed', present, readAt: now(), runId: 'run-1', now: now() },
  });
const isOurs = async () => (await ownConfigurations(shop.store.registers, now())).isOurs('ou-1', 'AnyAllowed');

describe('a process that is killed after AWS has deleted a configuration for it', () => {
  it('does not make Rollcall take the same configuration of somebody else for its own', async () => {
    await noteDeletion(shop.store.registers, 'ou-1', now());
    // If AWS has not deleted it, it is still ours.
    await shop.clock.advance(2 * HOUR_MS);
    await pruneConfigurations(shop.store.registers, STORED, now());
    expect(await isOurs()).toBe(true);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(false);
    expect((await storedByRollcall(shop.store.registers, now())).size).toBe(0);
  });

  it('does not make the deletion count as one by somebody else', async () => {
    await noteDeletion(shop.store.registers, 'ou-1', now());
    for (let times = 0; times < 3; times += 1) {
      expect((await ownConfigurations(shop.store.registers, now())).isContested('ou-1')).toBe(false);
      await put();
      await confirmConfiguration(shop.store.registers, 'ou-1');
    }
    expect((await ownConfigurations(shop.store.registers, now())).isContested('ou-1')).toBe(true);
  });
});

describe('what Rollcall has noted and AWS does not store', () => {
  it('is forgotten if a listing that began minutes later does not show it, before somebody else stores the same', async () => {
    await shop.clock.advance(25 * HOUR_MS);
    // A process dies after this, before its call.
    await put('NoneAllowed');
    const before = now() - 1;
    await shop.clock.advance(6 * 60_000);
    await pruneConfigurations(shop.store.registers, new Map(), before);
    expect(await isOurs()).toBe(true);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(false);
  });

  it('is kept while a call for it may be in progress, and if somebody else may have deleted it', async () => {
    await shop.clock.advance(2 * HOUR_MS);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(true);
    await put();
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(true);
    // The repetition counts for 24 hours.
    await shop.clock.advance(23 * HOUR_MS);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(true);
    await shop.clock.advance(2 * HOUR_MS);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(false);
  });
});
