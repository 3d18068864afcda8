import * as z from 'zod';
import { accountId } from '../../../shared/app/queries/answers/common.ts';
import { policyView } from '../../../shared/app/queries/policy-view.ts';
import { TagsNotReadError } from '../../../shared/domain/policy/index.ts';
import { ApiProblem } from '../problem.ts';
import { jsonRoute, NONE } from '../route.ts';

export const policyRoutes = [
  jsonRoute({
    ...{ method: 'get', path: '/api/policy', operationId: 'policy', answer: 'Policy' },
    summary: 'The policy in use: what it says, for how many accounts, and what is doubtful about it',
    shared: true,
    ...NONE,
    handle: async ({ system: { stores, clock, policy } }) => {
      const inUse = await policy();
      return policyView(stores, inUse.policy, inUse.warnings, clock.now());
    },
  }),
  jsonRoute({
    ...{ method: 'get', path: '/api/policy/explain/{id}', operationId: 'explain', answer: 'Explanation' },
    summary: 'What the policy wants of an account, and which rules say so',
    ...NONE,
    params: z.strictObject({ id: accountId }),
    handle: async ({ system, params }) => {
      const [{ policy }, account] = await Promise.all([system.policy(), system.stores.snapshots.get(params.id)]);
      if (account === null) {
        throw new ApiProblem(
          404,
          'AccountUnknown',
          `The last snapshot of the organization lacks account ${params.id}.`,
        );
      }
      try {
        return policy.explain(account);
      } catch (error) {
        if (!(error instanceof TagsNotReadError)) throw error;
        throw new ApiProblem(
          409,
          'TagsNotRead',
          'The policy asks for tags, and the last snapshot lacks those of this account.',
        );
      }
    },
  }),
];
