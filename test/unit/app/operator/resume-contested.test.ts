import { afterEach, describe, expect, it } from 'vitest';
import { contestedConfigurations } from '../../../../shared/app/guardrails/contested-configurations.ts';
import {
  confirmConfiguration,
  noteConfiguration,
  ownConfigurations,
} from '../../../../shared/app/guardrails/own-configurations.ts';
import { resumeContested } from '../../../../shared/app/operator/resume-contested.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/index.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { accountId, Workshop } from '../../../support/workshop.ts';

const HOUR_MS = 3_600_000;
const TARGETS = {
  'r-1': '/',
  'ou-1': '/Workloads',
  'ou-2': '/Workloads/Dev',
  'ou-3': '/Workloads 2',
  [accountId(0)]: accountId(0),
} as const;

let shop: Workshop;
afterEach(() => shop.close());

/** Rollcall stores the configuration, which somebody else has deleted. */
const store = async (targetId: string, target: string): Promise<void> => {
  const now = shop.clock.now();
  const noted = {
    targetId,
    target,
    ruleMode: 'AnyAllowed',
    present: null,
    readAt: now,
    runId: 'run-1',
    callId: 'call-1',
    now,
  } as const;
  await noteConfiguration(shop.store.registers, noted);
  await confirmConfiguration(shop.store.registers, targetId, noted.callId);
};

/** An organization in which somebody else has deleted every one of these configurations twice. */
async function contested(targets: Readonly<Record<string, string>> = TARGETS): Promise<void> {
  shop = await Workshop.open({ policy: policyOf('computeOptimizer: Active') });
  for (let round = 0; round < 3; round += 1) {
    for (const [targetId, target] of Object.entries(targets)) await store(targetId, target);
    await shop.clock.advance(HOUR_MS);
  }
}

async function stillContested(): Promise<readonly string[]> {
  const own = await ownConfigurations(shop.store.registers, shop.clock.now());
  return Object.entries(TARGETS).flatMap(([targetId, target]) => (own.isContested(targetId) ? [target] : []));
}

function resume(text: string): Promise<readonly string[]> {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return resumeContested(shop.deps(), parsed.selector);
}

describe('resume of contested configurations', () => {
  it.each([
    ['all', ['ou:/', 'ou:/Workloads', 'ou:/Workloads/Dev', 'ou:/Workloads 2', accountId(0)], []],
    ['ou:/Workloads', ['ou:/Workloads', 'ou:/Workloads/Dev'], ['/', '/Workloads 2', accountId(0)]],
    [accountId(0), [accountId(0)], ['/', '/Workloads', '/Workloads/Dev', '/Workloads 2']],
    ['name:nobody', [], Object.values(TARGETS)],
  ])('with the selector %s covers those at and below what it names', async (text, resumed, left) => {
    await contested();
    expect((await stillContested()).toSorted()).toEqual(Object.values(TARGETS).toSorted());
    expect([...(await resume(text))].sort()).toEqual([...resumed].sort());
    expect((await stillContested()).toSorted()).toEqual([...left].sort());
  });

  it('is recorded in the chain of the organization, once', async () => {
    await contested({ 'ou-1': '/Workloads' });
    await resume('ou:/Workloads');
    expect(await resume('ou:/Workloads')).toEqual([]);
    const { entries } = await shop.store.ledger.query({ type: 'AccountResumed' }, { limit: 10 });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      accountId: null,
      detail: {
        selector: 'ou:/Workloads',
        configuration: { targetId: 'ou-1', target: '/Workloads', ruleMode: 'AnyAllowed' },
      },
    });
  });

  it('covers a configuration that an earlier version stored without its path', async () => {
    await contested({ 'ou-1': '', [accountId(0)]: '' });
    const known = await contestedConfigurations(shop.store.registers, shop.clock.now());
    expect(known.map(({ target }) => target).toSorted()).toEqual([accountId(0), 'ou-1'].toSorted());
    expect(await resume(accountId(0))).toEqual([accountId(0)]);
    expect(await resume('all')).toEqual(['ou-1']);
  });

  it('lets somebody else contest it again', async () => {
    await contested({ 'ou-1': '/Workloads' });
    await resume('all');
    // As from the start: Rollcall stores it once, and again twice.
    for (let times = 0; times < 2; times += 1) {
      await store('ou-1', '/Workloads');
      expect(await stillContested()).toEqual([]);
      await shop.clock.advance(HOUR_MS);
    }
    await store('ou-1', '/Workloads');
    expect(await stillContested()).toEqual(['/Workloads']);
  });

  it('does not count a call that another worker has made since the configurations were read as a deletion', async () => {
    await contested({});
    const { registers } = shop.store;
    const readAt = shop.clock.now();
    const noted = { targetId: 'ou-1', target: '/Workloads', ruleMode: 'AnyAllowed', present: null, readAt } as const;
    for (let worker = 0; worker < 3; worker += 1) {
      await shop.clock.advance(1_000);
      await noteConfiguration(registers, {
        ...noted,
        runId: `run-${worker}`,
        callId: `call-${worker}`,
        now: shop.clock.now(),
      });
      await confirmConfiguration(registers, 'ou-1', `call-${worker}`);
    }
    expect(await stillContested()).toEqual([]);
  });
});
