import { afterEach, expect, it } from 'vitest';
import { RunStore } from '../../../../shared/app/coordination/run-store.ts';
import { ApprovalError } from '../../../../shared/app/guardrails/approvable-plan.ts';
import { approve } from '../../../../shared/app/guardrails/approvals.ts';
import { NOW, policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const CAPPED = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 0, atLeast: 2 } }');
const KEY = 'configuration ou-1 DeleteOrganizationEnrollmentConfiguration  other';

let shop: Workshop;
afterEach(() => shop.close());

it('A plan that an earlier version stored without the rule modes that somebody else set cannot be approved', async () => {
  shop = await Workshop.open({ policy: CAPPED, members: 6 });
  const { planHash } = await shop.scan();
  const runs = new RunStore(shop.deps().registers);
  const give = () => approve(shop.deps(), planHash, { actor: 'user:ada', reason: null });
  await runs.storePlan(planHash, CAPPED.hash, [KEY], NOW);
  await expect(give()).rejects.toThrow(ApprovalError);
  await expect(give()).rejects.toThrow(/outdated and cannot be approved: an earlier version stored it/);
  await runs.storePlan(planHash, CAPPED.hash, [`${KEY} NoneAllowed`], NOW);
  expect(await give()).toMatchObject({ configurations: 1 });
});
