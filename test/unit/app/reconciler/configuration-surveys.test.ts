import { describe, expect, it } from 'vitest';
import { MANAGEMENT, policyOf } from '../../../support/domain-kit.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';

const bed = reconcilerBed();
const MANAGED = policyOf(
  'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed',
  `${NO_CAPS}\norganization: { automationConfigurations: manage }`,
);
const PUT = 'PutOrganizationEnrollmentConfiguration';

describe('a call for a configuration', () => {
  /** The surveys before the first Put if the first `slow` surveys take longer than two minutes. */
  async function surveysIf(slow: number): Promise<number> {
    await bed.enrolled({ policy: MANAGED, members: 6 });
    await bed.shop.scan();
    let left = slow;
    const before = bed.shop.cloud.calls.length;
    bed.trouble = ({ operation, accountIds }) => {
      const isOwn = operation === 'GetEnrollmentStatus' && accountIds.includes(MANAGEMENT.id);
      return isOwn && left-- > 0 ? { wait: bed.shop.clock.advance(121_000) } : null;
    };
    await bed.shop.workOff(await bed.shop.process());
    const operations = bed.shop.cloud.calls.slice(before).map(({ operation }) => operation);
    expect(operations).toContain(PUT);
    return operations.slice(0, operations.indexOf(PUT)).filter((operation) => operation === 'ListAccounts').length;
  }

  it('is planned on another survey if the accounts were listed more than two minutes ago', async () => {
    expect(await surveysIf(1)).toBe(2);
  });

  it('is planned on the third survey even if every survey takes longer than that', async () => {
    expect(await surveysIf(10)).toBe(3);
  });
});
