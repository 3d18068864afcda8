import { describe, expect, it } from 'vitest';
import { suspend } from '../../../../shared/app/guardrails/controls.ts';
import { parseOperatorSelector } from '../../../../shared/domain/policy/rules/operator-selector.ts';
import { DAY, HOUR, MANAGEMENT, MEMBER, NOW, policyOf } from '../../../support/domain-kit.ts';
import { cloudError, type MemoryCloudOptions } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const A = accountId(0);
const DEV = { env: 'dev' };
const PROD = { env: 'prod' };

/** Opts out the accounts that have the tag `env: dev`. */
const tagged = (enrolled: string, optedOut: string, more = '') =>
  policyOf(
    `computeOptimizer: Active, ${enrolled}`,
    `${NO_CAPS}\n${more}\nrules:\n  - { id: dev, match: { tags: { env: dev } }, ${optedOut} }`,
  );
const COMPUTE_OPTIMIZER = tagged('automation: unmanaged', 'computeOptimizer: Inactive');
const NONE_ALLOWED = 'organizationRules: NoneAllowed';

/** Enrolled members that the snapshot shows with `env: dev`, and their live tags. */
async function scanned(
  policy: ReturnType<typeof policyOf>,
  liveTags: MemoryCloudOptions['liveTags'] = new Map(),
  members = 1,
): Promise<void> {
  const accounts = Array.from({ length: members }, (_, n) => ({ ...MEMBER, id: accountId(n), tags: DEV }));
  await bed.enrolled({ policy, members, cloud: { accounts: [{ ...MANAGEMENT, tags: {} }, ...accounts], liveTags } });
  for (const { id } of [MANAGEMENT, ...accounts]) {
    const automation = { status: 'Active', ruleMode: 'AnyAllowed', lastUpdated: NOW - DAY } as const;
    bed.shop.cloud.set(id, { computeOptimizer: { status: 'Active' }, automation });
  }
  await bed.shop.scan();
}

const liveOf = (members: number, tags: Record<string, string> | null) =>
  new Map(Array.from({ length: members }, (_, n) => [accountId(n), tags]));
const tagReads = () => bed.shop.cloud.calls.filter(({ operation }) => operation === 'ListTagsForResource').length;
const operations = () => bed.shop.cloud.changes.map(({ operation }) => operation);

describe('an opt-out of a policy with tag conditions', () => {
  it('is made if the live tags are those of the scan', async () => {
    await scanned(COMPUTE_OPTIMIZER);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 1']);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', status: 'Inactive' });
    expect(tagReads()).toBe(1);
  });

  it('is not made if the live tags differ: the account is assessed again, and stays enrolled', async () => {
    await scanned(COMPUTE_OPTIMIZER, liveOf(1, PROD));
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', status: 'Active' });
    expect(await bed.shop.types(A)).not.toContain('RemediationStarted');
    expect((await bed.shop.store.snapshots.get(A))?.tags).toEqual(PROD);
  });

  it('is not made if another worker has corrected the snapshot since the assessment', async () => {
    await scanned(COMPUTE_OPTIMIZER, liveOf(1, PROD));
    const { cloud, snapshots } = bed.shop.deps();
    const readTags: typeof cloud.readTags = async (...args) => {
      const known = (await snapshots.get(A)) ?? expect.fail('the snapshot lacks the account');
      await snapshots.refresh([{ ...known, tags: PROD }]);
      return cloud.readTags(...args);
    };
    await bed.shop.workOff(await bed.shop.process({ cloud: { ...cloud, readTags } }));
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', status: 'Active' });
  });

  it('is not planned by the next scan either, while the index may still show the former tags', async () => {
    await scanned(COMPUTE_OPTIMIZER, liveOf(1, PROD));
    await bed.shop.workOff(await bed.shop.process());
    await bed.shop.clock.advance(60_000);
    expect((await bed.shop.scan()).due).toEqual([]);
    await bed.shop.clock.advance(HOUR);
    expect((await bed.shop.scan()).due).toHaveLength(1);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([]);
  });

  it('is not made if the tags change while the rate limiter delays the call', async () => {
    const live = new Map<string, Record<string, string>>();
    await scanned(COMPUTE_OPTIMIZER, live);
    const work = await bed.shop.process();
    const { cloud } = work.deps;
    const slow = async (...args: Parameters<typeof cloud.prepareChange>) => {
      const send = await cloud.prepareChange(...args);
      await bed.shop.clock.advance(11_000);
      live.set(A, PROD);
      return send;
    };
    await bed.shop.workOff({ ...work, deps: { ...work.deps, cloud: { ...cloud, prepareChange: slow } } });
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Compliant', status: 'Active', claim: null });
  });

  it.each([
    ['denied', cloudError('Denied', 'AccessDeniedException'), 'tagsUnreadable'],
    ['without an answer', cloudError('Transient', 'ServiceException'), 'retrying'],
  ])('is not made if the read of the tags is %s', async (_, before, reason) => {
    await scanned(COMPUTE_OPTIMIZER);
    bed.trouble = ({ operation }) => (operation === 'ListTagsForResource' ? { before } : null);
    await bed.shop.settle(bed.shop.workOff(await bed.shop.process()));
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Blocked', reason, claim: null });
  });

  it('is not made in an account that has left', async () => {
    await scanned(COMPUTE_OPTIMIZER, liveOf(1, null));
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.store.snapshots.get(A)).toBeNull();
  });

  it('is not made if an operator has suspended the live tags', async () => {
    await scanned(COMPUTE_OPTIMIZER, liveOf(1, { ...DEV, freeze: 'yes' }));
    const parsed = parseOperatorSelector('tag:freeze=yes');
    if (!parsed.ok) throw new Error(parsed.message);
    await suspend(bed.shop.deps(), { selector: parsed.selector, until: null, reason: null });
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual([]);
    expect(await bed.shop.condition(A)).toMatchObject({ verdict: 'Suspended' });
  });

  it('by a batch is made only where the live tags allow it', async () => {
    await scanned(tagged('automation: Active, organizationRules: AnyAllowed', NONE_ALLOWED), liveOf(2, PROD), 4);
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.shop.cloud.changes.flatMap(({ accountIds }) => accountIds).sort()).toEqual([2, 3].map(accountId));
    expect(new Set(operations())).toEqual(new Set(['DisassociateAccounts']));
    for (const n of [0, 1])
      expect(await bed.shop.condition(accountId(n), 'automation')).toMatchObject({
        verdict: 'Compliant',
        ruleMode: 'AnyAllowed',
      });
  });
});

describe('the tags are not read', () => {
  it('for an opt-in', async () => {
    await scanned(tagged('automation: unmanaged', 'computeOptimizer: Active'));
    bed.shop.cloud.set(A, { computeOptimizer: { status: 'Inactive' } });
    await bed.shop.scan();
    await bed.shop.workOff(await bed.shop.process());
    expect(bed.changes()).toEqual(['UpdateEnrollmentStatus 1']);
    expect(tagReads()).toBe(0);
  });

  it('for an opt-out of a policy without tag conditions', async () => {
    await scanned(policyOf('computeOptimizer: Inactive', NO_CAPS));
    await bed.shop.workOff(await bed.shop.process());
    expect(operations()).toContain('UpdateEnrollmentStatus');
    expect(tagReads()).toBe(0);
  });
});
