import { describe, expect, it } from 'vitest';
import { policyOf } from '../../../support/domain-kit.ts';
import { cloudError } from '../../../support/memory-cloud.ts';
import { NO_CAPS, reconcilerBed } from '../../../support/reconciler-bed.ts';
import { accountId } from '../../../support/workshop.ts';

const bed = reconcilerBed();
const PUT = 'PutOrganizationEnrollmentConfiguration';
const [REFUSED, OTHER] = [accountId(1), accountId(0)];

/** Because of the rule by name no configuration covers an OU, and each of the two accounts gets its own. */
async function scanned(): Promise<void> {
  const rules = `rules:
  - { id: later, match: { name: 'later-*' }, mode: alert }
  - { id: none, match: { accounts: ['${REFUSED}', '${OTHER}'] }, organizationRules: NoneAllowed }`;
  const policy = policyOf(
    'computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed',
    `${NO_CAPS}\norganization: { automationConfigurations: manage }\n${rules}`,
  );
  await bed.enrolled({ policy, members: 2 });
  for (const id of [REFUSED, OTHER])
    bed.shop.cloud.set(id, { automation: { status: 'Inactive', ruleMode: 'AnyAllowed' } });
  const { configurations } = await bed.shop.scan();
  expect(configurations?.calls.map(({ targetId }) => targetId)).toEqual([REFUSED, OTHER]);
}

/** AWS answers each Put for the first account with an error of this kind. */
function refuse(kind: Parameters<typeof cloudError>[0], code: string): void {
  bed.trouble = ({ operation, accountIds }) =>
    operation === PUT && accountIds.includes(REFUSED) ? { before: cloudError(kind, code) } : null;
}

/** The accounts of the Put requests, in order. */
const requested = () =>
  bed.shop.cloud.changes.flatMap(({ operation, accountIds }) => (operation === PUT ? accountIds : []));

describe('a call for a configuration that AWS refuses for its own sake', () => {
  it('is made once, does not hold up a call for another account, and is replaced by other calls', async () => {
    await scanned();
    refuse('Invalid', 'InvalidParameterValueException');
    await bed.shop.workOff(await bed.shop.process());
    expect(requested()).toEqual([REFUSED, OTHER]);
    expect(await bed.shop.condition(OTHER, 'automation')).toMatchObject({ verdict: 'Compliant' });
    expect(bed.shop.cloud.changes.filter(({ operation }) => operation === 'DisassociateAccounts')).toMatchObject([
      { accountIds: [REFUSED] },
    ]);
  });
});

describe('a call for a configuration that AWS refuses as it would refuse all', () => {
  it('ends the calls of the run', async () => {
    await scanned();
    refuse('Denied', 'AccessDeniedException');
    await bed.shop.workOff(await bed.shop.process());
    expect(requested()).toEqual([REFUSED]);
  });
});
