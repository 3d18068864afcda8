import * as z from 'zod';
import { accountId } from '../../../shared/app/queries/answers/common.ts';
import { explain } from '../../../shared/app/queries/explanation.ts';
import { policyChange, policyVersions } from '../../../shared/app/queries/policy-versions.ts';
import { policyView } from '../../../shared/app/queries/policy-view.ts';
import { TagsNotReadError } from '../../../shared/domain/policy/index.ts';
import { ApiProblem } from '../problem.ts';
import { jsonRoute, NONE } from '../route.ts';

export const policyRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/policy',
    operationId: 'policy',
    answer: 'Policy',
    summary: 'The policy in use: its rules, the number of accounts of each, and its warnings',
    shared: true,
    ...NONE,
    handle: async ({ system: { stores, clock, policy } }) => {
      const inUse = await policy();
      return policyView(stores, inUse.policy, inUse.warnings, clock.now());
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/policy/versions',
    operationId: 'policyVersions',
    answer: 'PolicyVersions',
    summary: 'The policies that were in force, newest first: since when, and who put them in force',
    ...NONE,
    handle: async ({ system: { stores } }) => policyVersions(stores),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/policy/versions/{id}',
    operationId: 'policyChange',
    answer: 'PolicyChange',
    summary: 'What a version of the policy changed against the one before it, and what that means for the accounts',
    heavy: true,
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200).describe('The `entryId` of the version') }),
    handle: async ({ system: { stores }, params }) => {
      const change = await policyChange(stores, params.id);
      if (change === null)
        throw new ApiProblem(404, 'VersionUnknown', 'The audit log has no such version of the policy.');
      return change;
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/policy/explain/{id}',
    operationId: 'explain',
    answer: 'Explanation',
    summary: 'The desired state of an account, and the rules that decide it',
    ...NONE,
    params: z.strictObject({ id: accountId }),
    handle: async ({ system, params }) => {
      const { snapshots, records } = system.stores;
      const [{ policy }, account, record] = await Promise.all([
        system.policy(),
        snapshots.get(params.id),
        records.get(params.id),
      ]);
      if (account === null) {
        const found = `Account ${params.id} is not in the last snapshot of the organization.`;
        throw new ApiProblem(404, 'AccountUnknown', found);
      }
      try {
        return explain(policy, account, record);
      } catch (error) {
        if (!(error instanceof TagsNotReadError)) throw error;
        const found = 'The policy uses tags, and the last snapshot has no tags of this account.';
        throw new ApiProblem(409, 'TagsNotRead', found);
      }
    },
  }),
];
