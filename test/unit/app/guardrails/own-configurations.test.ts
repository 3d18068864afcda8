import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { update } from '../../../../shared/app/coordination/typed-register.ts';
import {
  confirmConfiguration,
  endConfiguration,
  forgetConfiguration,
  noteConfiguration,
  noteDeletion,
  OWN_CONFIGURATIONS,
  ownConfigurations,
  pruneConfigurations,
  storedByRollcall,
  withdrawConfiguration,
} from '../../../../shared/app/guardrails/own-configurations.ts';
import type { RuleMode } from '../../../../shared/domain/enrollment/model.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const TARGET = { targetId: 'ou-1', target: '/Workloads' };
const STORED: ReadonlyMap<string, RuleMode> = new Map([['ou-1', 'AnyAllowed']]);

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  await put();
  await confirmConfiguration(shop.store.registers, 'ou-1', 'call-1');
});
afterEach(() => shop.close());

const now = () => shop.clock.now();
const put = (present: RuleMode | null = null, callId = 'call-1', ruleMode: RuleMode = 'AnyAllowed') =>
  noteConfiguration(shop.store.registers, {
    ...TARGET,
    ...{ callId, ruleMode, present, readAt: now(), runId: 'run-1', now: now() },
  });
const confirm = (callId: string) => confirmConfiguration(shop.store.registers, 'ou-1', callId);
const noteDelete = () => noteDeletion(shop.store.registers, { targetId: 'ou-1', callId: 'deletion', now: now() });
const forget = async () => {
  await noteDelete();
  await forgetConfiguration(shop.store.registers, 'ou-1', 'deletion');
};
const withdraw = (callId: string) => withdrawConfiguration(shop.store.registers, 'ou-1', callId);
const isOurs = async (ruleMode: RuleMode = 'AnyAllowed') =>
  (await ownConfigurations(shop.store.registers, now())).isOurs('ou-1', ruleMode);

describe('a process that is killed after AWS has deleted a configuration for it', () => {
  it('does not make Rollcall take the same configuration of somebody else for its own', async () => {
    await noteDelete();
    // If AWS has not deleted it, it is still ours.
    await shop.clock.advance(2 * HOUR_MS);
    await pruneConfigurations(shop.store.registers, STORED, now());
    expect(await isOurs()).toBe(true);
    await pruneConfigurations(shop.store.registers, new Map(), now());
    expect(await isOurs()).toBe(false);
    expect((await storedByRollcall(shop.store.registers, now())).size).toBe(0);
  });

  it('does not make the deletion count as one by somebody else', async () => {
    await noteDelete();
    for (let times = 0; times < 3; times += 1) {
      expect((await ownConfigurations(shop.store.registers, now())).isContested('ou-1')).toBe(false);
      await put();
      await confirm('call-1');
      await shop.clock.advance(MINUTE_MS);
    }
    expect((await ownConfigurations(shop.store.registers, now())).isContested('ou-1')).toBe(true);
  });
});

it('a configuration that another process does not find seconds after the call does not count as deleted by somebody else', async () => {
  for (let times = 0; times < 4; times += 1) {
    // The clock of the other process is ahead, so its listing began before the call although it claims a later time.
    await shop.clock.advance(5_000);
    await put();
    await confirm('call-1');
  }
  expect((await ownConfigurations(shop.store.registers, now())).isContested('ou-1')).toBe(false);
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

describe('two calls for one target at the same time, of which AWS refuses', () => {
  beforeEach(async () => {
    // Somebody else stores NoneAllowed, and Rollcall has permission to replace it.
    await forget();
    await put('NoneAllowed', 'first');
    await put('NoneAllowed', 'second');
  });

  it.each([
    ['first', 'second'],
    ['second', 'first'],
  ])('both, %s and then %s: nothing of it is ours', async (one, other) => {
    await withdraw(one);
    expect(await isOurs()).toBe(true);
    await withdraw(other);
    expect(await isOurs()).toBe(false);
    expect((await storedByRollcall(shop.store.registers, now())).size).toBe(0);
  });

  it.each([
    ['first', 'second'],
    ['second', 'first'],
  ])('only one: what the accepted %s has stored is ours', async (accepted, refused) => {
    for (const order of [
      [confirm, accepted, withdraw, refused],
      [withdraw, refused, confirm, accepted],
    ] as const) {
      const [begin, firstCall, end, lastCall] = order;
      await forget();
      await put('NoneAllowed', 'first');
      await put('NoneAllowed', 'second');
      await begin(firstCall);
      await end(lastCall);
      expect(await isOurs()).toBe(true);
      // The call is no longer in progress. Neither time nor a listing without its configuration changes that.
      await pruneConfigurations(shop.store.registers, STORED, now() + HOUR_MS);
      expect(await isOurs()).toBe(true);
    }
  });

  it('neither, with different rule modes: either may be what AWS stores', async () => {
    await put('NoneAllowed', 'third', 'NoneAllowed');
    await confirm('third');
    await confirm('first');
    expect(await isOurs('NoneAllowed')).toBe(true);
    expect(await isOurs('AnyAllowed')).toBe(true);
  });
});

it('A call of a killed process is forgotten once AWS shows another configuration', async () => {
  await forget();
  await put(null);
  await shop.clock.advance(6 * 60_000);
  await pruneConfigurations(shop.store.registers, new Map([['ou-1', 'NoneAllowed']]), now());
  expect(await isOurs()).toBe(false);
});

describe('a call whose answer was lost', () => {
  beforeEach(async () => {
    await forget();
    await put('NoneAllowed', 'lost');
    await endConfiguration(shop.store.registers, { targetId: 'ou-1', callId: 'lost', now: now() });
  });

  it('has stored what the next listing shows', async () => {
    await pruneConfigurations(shop.store.registers, STORED, now() + MINUTE_MS);
    expect(await isOurs()).toBe(true);
  });

  it('has stored nothing if the next listing shows what was there before, even if somebody stores the same later', async () => {
    await pruneConfigurations(shop.store.registers, new Map([['ou-1', 'NoneAllowed']]), now() - 1);
    expect(await isOurs()).toBe(true);
    await pruneConfigurations(shop.store.registers, new Map([['ou-1', 'NoneAllowed']]), now() + MINUTE_MS);
    expect(await isOurs()).toBe(false);
  });

  it('is not forgotten by a process whose clock is seconds ahead, so that its listing began earlier than it says', async () => {
    await pruneConfigurations(shop.store.registers, new Map(), now() + 10_000);
    expect(await isOurs()).toBe(true);
  });

  it('has stored nothing if the next call finds what was there before, and is refused', async () => {
    await put('NoneAllowed', 'refused');
    await withdraw('refused');
    expect(await isOurs()).toBe(false);
  });
});

it('A refused call leaves what was accepted before', async () => {
  await put('AnyAllowed', 'refused', 'NoneAllowed');
  await withdraw('refused');
  expect(await isOurs('AnyAllowed')).toBe(true);
  expect(await isOurs('NoneAllowed')).toBe(false);
});

it('A deletion that ends late does not forget what a later call has stored', async () => {
  await noteDelete();
  await put(null, 'later', 'NoneAllowed');
  await confirm('later');
  await forgetConfiguration(shop.store.registers, 'ou-1', 'deletion');
  expect(await isOurs('NoneAllowed')).toBe(true);
  expect(await isOurs('AnyAllowed')).toBe(false);
});

it('A deletion forgets what was stored before, not a later call that is still in progress', async () => {
  await noteDelete();
  await put(null, 'later', 'NoneAllowed');
  await forgetConfiguration(shop.store.registers, 'ou-1', 'deletion');
  expect(await isOurs('NoneAllowed')).toBe(true);
  await withdraw('later');
  expect((await storedByRollcall(shop.store.registers, now())).size).toBe(0);
});

it('A call that ends after its note is gone does not confirm another call', async () => {
  await forget();
  await put(null, 'paused', 'NoneAllowed');
  await shop.clock.advance(6 * 60_000);
  await put(null, 'refused');
  await confirm('paused');
  await withdraw('refused');
  expect(await isOurs()).toBe(false);
});

it('A call of a killed process is forgotten even if another call was made after it', async () => {
  await put('AnyAllowed', 'killed', 'NoneAllowed');
  await put('AnyAllowed', 'made');
  await confirm('made');
  await pruneConfigurations(shop.store.registers, STORED, now());
  expect(await isOurs('NoneAllowed')).toBe(true);
  await shop.clock.advance(6 * 60_000);
  await pruneConfigurations(shop.store.registers, STORED, now());
  expect(await isOurs('NoneAllowed')).toBe(false);
  expect(await isOurs()).toBe(true);
});

describe('a call whose id an older version has dropped', () => {
  const dropIds = async () => {
    const { registers } = shop.store;
    await update(registers, OWN_CONFIGURATIONS, (current) => {
      const own = Object.entries(current ?? {});
      return Object.fromEntries(own.map(([id, note]) => [id, { ...note, callId: null, earlier: [] }]));
    });
  };

  it('is still confirmed', async () => {
    await put('AnyAllowed', 'call', 'NoneAllowed');
    await dropIds();
    await confirm('call');
    expect((await storedByRollcall(shop.store.registers, now())).get('ou-1')?.ruleModes).toEqual(['NoneAllowed']);
  });

  it('is still forgotten if it was a deletion', async () => {
    await noteDelete();
    await dropIds();
    await forgetConfiguration(shop.store.registers, 'ou-1', 'deletion');
    expect(await isOurs()).toBe(false);
  });
});
