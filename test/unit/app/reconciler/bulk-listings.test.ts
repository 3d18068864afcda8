import { beforeEach, describe, expect, it } from 'vitest';
import type { RunContext } from '../../../../shared/app/context.ts';
import { processMessage } from '../../../../shared/app/reconciler/deliver.ts';
import type { WorkContext } from '../../../../shared/app/reconciler/worker-context.ts';
import type { EnrollmentId } from '../../../../shared/domain/enrollment/kinds/index.ts';
import type { Lane } from '../../../../shared/domain/work-lane.ts';
import type { Delivery } from '../../../../shared/ports/queue.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId, keyOf } from '../../../support/workshop.ts';

const bed = reconcilerBed();
/** More than the few confirmations that are urgent. */
const MANY = 12;
/** The organization fits on one page, so this threshold alone decides. */
const settings = { listingFrom: MANY };
const EVERY = Array.from({ length: MANY }, (_, n) => accountId(n));
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The run of the last scan. */
let run: RunContext;

let counted = 0;
beforeEach(() => {
  counted = 0;
});

/** The calls since the last count, by operation. */
function calls(): Record<string, number> {
  const counts: Record<string, number> = {};
  const fresh = bed.shop.cloud.calls.slice(counted);
  counted += fresh.length;
  for (const { operation } of fresh) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

async function scanned(): Promise<WorkContext> {
  run = bed.shop.run();
  await bed.shop.scan(run);
  const work = await bed.shop.process();
  calls();
  return work;
}

/** Sends keys of the last scan again: they report something that has just happened to their accounts. */
async function announce(lane: Lane, ...numbers: readonly number[]): Promise<void> {
  await bed.shop.clock.advance(SECOND);
  await bed.shop.store.queue.send(
    numbers.map((n) => keyOf(bed.shop, run, n)),
    { lane },
  );
}

async function verdicts(kind?: EnrollmentId): Promise<ReadonlySet<string>> {
  const found = await Promise.all(EVERY.map((id) => bed.shop.condition(id, kind)));
  return new Set(found.map(({ verdict }) => verdict));
}

const LIST = 'list computeOptimizer';
const READ = 'GetEnrollmentStatus';
const CHANGE = 'UpdateEnrollmentStatus';

describe('while many keys wait', () => {
  it('one listing replaces the reads before the changes, and one the reads after them', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    await bed.shop.workOff(work);
    expect(calls()).toEqual({ [LIST]: 1, [CHANGE]: MANY });
    expect(await verdicts()).toEqual(new Set(['Converging']));
    await bed.shop.later(work, 3 * SECOND);
    expect(calls()).toEqual({ [LIST]: 1 });
    expect(await verdicts()).toEqual(new Set(['Compliant']));
    for (const id of EVERY)
      expect(await bed.shop.types(id)).toEqual([
        'DriftDetected',
        'RemediationStarted',
        'RemediationSucceeded',
        'DriftResolved',
      ]);
  });

  it('listings poll a change that AWS has not completed', async () => {
    await bed.open({ members: MANY, settings, cloud: { pendingMs: 10 * MINUTE } });
    const work = await scanned();
    await bed.shop.workOff(work);
    calls();
    await bed.shop.later(work, 3 * SECOND);
    expect(calls()).toEqual({ [LIST]: 1 });
    expect(await verdicts()).toEqual(new Set(['Converging']));
    for (let minutes = 0; minutes < 25; minutes += 1) await bed.shop.later(work, MINUTE);
    expect(calls()[READ]).toBeUndefined();
    expect(await verdicts()).toEqual(new Set(['Compliant']));
  });

  it('an account that the listing shows as compliant is not changed', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    await bed.shop.workOff(work);
    expect(calls()).toEqual({ [LIST]: 1, [CHANGE]: MANY - 1 });
    expect(await bed.shop.types(accountId(0))).toEqual(['DriftDetected', 'DriftResolved']);
  });

  it('an opt-out still reads its account', async () => {
    const policy = policyOf('computeOptimizer: Inactive', NO_CAPS);
    await bed.open({ members: MANY, settings, policy });
    for (const id of EVERY) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const work = await scanned();
    await bed.shop.workOff(work);
    // The management account is opted out as well.
    expect(calls()).toEqual({ [READ]: 2 * (MANY + 1), [CHANGE]: MANY + 1 });
  });

  it('accounts are read one by one if the listing cannot be read, and the listing is not tried again for a minute', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    bed.trouble = ({ operation }) => (operation === LIST ? { before: cloudError('Denied', 'AccessDenied') } : null);
    await bed.shop.workOff(work);
    expect(calls()).toEqual({ [LIST]: 1, [READ]: 2 * MANY, [CHANGE]: MANY });
    expect(await verdicts()).toEqual(new Set(['Compliant']));
  });

  it('an account that the listing lacks is read', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    const { list } = bed.shop.cloud;
    work.deps.cloud.list = async (kind, token) => {
      const page = await list(kind, token);
      return { ...page, items: page.items.filter((item) => item.accountId !== accountId(2)) };
    };
    await bed.shop.workOff(work);
    expect(calls()).toEqual({ [LIST]: 1, [READ]: 2, [CHANGE]: MANY });
  });
});

describe('a listing is too old', () => {
  it('for an account about which a message was sent since', async () => {
    await bed.open({ members: MANY, settings });
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    const work = await scanned();
    await announce('urgent', 0);
    await bed.shop.workOff(work);
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive' } });
    calls();
    await announce('urgent', 0);
    await bed.shop.workOff(work);
    // Read, changed, and read again: one key alone is confirmed immediately.
    expect(calls()).toEqual({ [READ]: 2, [CHANGE]: 1 });
    expect(await bed.shop.condition(accountId(0))).toMatchObject({ verdict: 'Compliant' });
  });

  it('to confirm a change that was made since', async () => {
    await bed.open({ members: MANY, settings, cloud: { pendingMs: 10 * MINUTE } });
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Active' } });
    const work = await scanned();
    await announce('urgent', 0);
    await bed.shop.workOff(work);
    bed.shop.cloud.set(accountId(0), { computeOptimizer: { status: 'Inactive' } });
    await announce('urgent', 0);
    await bed.shop.workOff(work);
    await bed.shop.later(work, 3 * SECOND);
    expect(await bed.shop.condition(accountId(0))).toMatchObject({ verdict: 'Converging', reason: 'pending' });
  });

  it('if it shows an earlier state than the record', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    const stale = await bed.shop.cloud.list('computeOptimizer', null);
    await bed.shop.workOff(work);
    await bed.shop.later(work, 3 * SECOND);
    expect(await verdicts()).toEqual(new Set(['Compliant']));
    work.deps.cloud.list = async () => stale;
    await announce('bulk', ...EVERY.keys());
    calls();
    await bed.shop.workOff(work);
    expect(calls()).toEqual({ [READ]: MANY });
    expect(await verdicts()).toEqual(new Set(['Compliant']));
  });

  it('if the clock has been set back since it began', async () => {
    await bed.open({ members: MANY, settings });
    for (const id of EVERY) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const work = await scanned();
    await announce('bulk', ...EVERY.keys());
    await bed.shop.workOff(work);
    calls();
    const { now } = bed.shop.clock;
    Object.assign(bed.shop.clock, { now: () => now() - 60 * MINUTE });
    for (const id of EVERY) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Inactive' } });
    await announce('bulk', ...EVERY.keys());
    await bed.shop.workOff(work);
    expect(calls()[CHANGE]).toBe(MANY);
  });

  it('after five minutes', async () => {
    await bed.open({ members: MANY, settings });
    const work = await scanned();
    const half = await bed.shop.store.queue.receive(MANY / 2, 10 * MINUTE);
    await bed.shop.workOff(work);
    calls();
    await bed.shop.clock.advance(5 * MINUTE + SECOND);
    for (const delivery of half) await bed.shop.store.queue.release(delivery, 0);
    await announce('bulk', ...EVERY.keys());
    await bed.shop.workOff(work);
    expect(calls()[LIST]).toBe(1);
    expect(await verdicts()).toEqual(new Set(['Compliant', 'Converging']));
  });
});

describe('with Cost Optimization Hub', () => {
  const HUB = 'costOptimizationHub';
  const both = (more = '') => policyOf(`computeOptimizer: Active, costOptimizationHub: Active${more}`, NO_CAPS);

  it('a change of one kind does not outdate the listing of the other', async () => {
    await bed.open({ members: 2 * MANY, settings, policy: both() });
    const work = await scanned();
    await bed.shop.workOff(work);
    // The management account is read.
    const own = { ListEnrollmentStatuses: 2 };
    expect(calls()).toEqual({ [LIST]: 1, [`list ${HUB}`]: 1, [CHANGE]: 4 * MANY + 1, ...own });
  });

  it('a change is confirmed soon, although a later call for the other kind is denied', async () => {
    await bed.open({ members: MANY, settings, policy: both() });
    const work = await scanned();
    const { prepareChange } = bed.shop.cloud;
    work.deps.cloud.prepareChange = async (request) => {
      if (request.kind === HUB) throw cloudError('Denied', 'AccessDenied');
      return prepareChange(request);
    };
    await bed.shop.workOff(work);
    expect(await verdicts()).toEqual(new Set(['Converging']));
    await bed.shop.later(work, 3 * SECOND);
    expect(await verdicts()).toEqual(new Set(['Compliant']));
  });

  it('a change is confirmed soon, although a batch writes about its account', async () => {
    const policy = both(', automation: Active, organizationRules: AnyAllowed');
    await bed.open({ members: MANY, settings, policy });
    for (const id of EVERY) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
    const work = await scanned();
    const { queue } = bed.shop.store;
    const waiting = await queue.receive(10, 10 * MINUTE);
    const isBatch = ({ message }: Delivery): boolean => message.kind === 'batch';
    for (const each of waiting.filter((each) => !isBatch(each))) await queue.release(each, 0);
    await bed.shop.workOff(work);
    expect(await verdicts(HUB)).toEqual(new Set(['Converging']));
    for (const each of waiting.filter(isBatch)) await queue.release(each, 0);
    await bed.shop.workOff(work);
    expect(await verdicts('automation')).toEqual(new Set(['Compliant']));
    await bed.shop.later(work, 3 * SECOND);
    expect(await verdicts(HUB)).toEqual(new Set(['Compliant']));
  });
});

it('keys that are each newer than the last listing do not cost more pages than reads', async () => {
  const members = 250;
  const pages = 3;
  await bed.open({ members, settings: { listingFrom: 1 } });
  const work = await scanned();
  const sentAt = bed.shop.clock.now();
  await bed.shop.clock.advance(SECOND);
  for (const { id } of bed.shop.members) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  for (let n = 0; n < MANY; n += 1) {
    const key = keyOf(bed.shop, run, n);
    await bed.shop.settle(processMessage(work, key, sentAt));
    await bed.shop.clock.advance(SECOND);
    await bed.shop.settle(processMessage(work, key, sentAt));
  }
  const { [LIST]: listings = 0, [READ]: reads = 0 } = calls();
  expect(pages * listings + reads).toBeLessThanOrEqual(2 * MANY + pages);
});

it('a few keys are read, changed and confirmed one by one', async () => {
  await bed.open({ members: MANY - 1, settings });
  const work = await scanned();
  await bed.shop.workOff(work);
  expect(calls()).toEqual({ [READ]: 2 * (MANY - 1), [CHANGE]: MANY - 1 });
});

it('a listing with more pages than there are keys is not read', async () => {
  await bed.open({ members: 250, settings: { listingFrom: 1 } });
  for (const { id } of bed.shop.members.slice(2)) bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' } });
  const work = await scanned();
  await bed.shop.workOff(work);
  expect(calls()).toEqual({ [READ]: 4, [CHANGE]: 2 });
});
