import { expect, it } from 'vitest';
import { COVERED_CODES } from '../../../services/sandbox/engine/types.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

const WANTED = {
  automation: 'Active',
  organizationRules: 'AnyAllowed',
  guardrails: '{ maxChanges: { percent: 100 } }',
};

it.each(COVERED_CODES)(
  'a batch that AWS rejects with %s because of one governed account is sent again without it, never account by account',
  {
    timeout: 120_000,
  },
  async (coveredCode) => {
    const world = await deploy({ sandbox: { accounts: 60, drift: 0, coveredCode }, policy: WANTED });
    const { sandbox } = world.sandbox;
    const { managementAccountId } = sandbox.info();
    const { tick, scan, work } = functionsOf(world);
    const batches: { readonly accountIds: readonly unknown[]; readonly code: string | null }[] = [];
    let governed = '';
    const handle = sandbox.handle.bind(sandbox);
    sandbox.handle = (request) => {
      if (request.operation !== 'AssociateAccounts') return handle(request);
      const input = typeof request.input === 'object' ? { ...request.input } : {};
      const accountIds = 'accountIds' in input && Array.isArray(input.accountIds) ? input.accountIds : [];
      if (batches.length === 0) {
        governed = String(accountIds[0]);
        // Somebody else is faster than the call.
        const change = { target: { accountId: governed }, organizationRuleMode: 'NoneAllowed' };
        const put = handle({
          ...{ service: 'aco-automation', operation: 'PutOrganizationEnrollmentConfiguration', input: change },
          ...{ callerAccountId: managementAccountId, requestId: 'by-hand' },
        });
        expect(put).toMatchObject({ kind: 'ok' });
      }
      const answer = handle(request);
      batches.push({ accountIds, code: answer.kind === 'error' ? answer.error.code : null });
      return answer;
    };
    await tick();
    expect(await scan()).toMatchObject([{ result: 'done' }]);
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);

    const [first, ...repeated] = batches;
    expect(first).toMatchObject({ code: coveredCode });
    expect(first?.accountIds.length).toBeGreaterThan(40);
    const others = first?.accountIds.filter((id) => id !== governed);
    expect(repeated[0]).toEqual({ accountIds: others, code: null });
    // What is left is a batch that was full from the start.
    const members = sandbox.accounts().filter(({ state, management }) => state === 'ACTIVE' && !management);
    expect(batches.length).toBeLessThanOrEqual(1 + Math.ceil(members.length / 50));
    const calls = sandbox.calls().filter(({ operation }) => operation === 'UpdateEnrollmentConfiguration');
    expect(calls.filter(({ accountId }) => accountId !== managementAccountId)).toEqual([]);
    for (const { accountId, automation } of members)
      expect(automation.organizationRuleMode).toBe(accountId === governed ? 'NoneAllowed' : 'AnyAllowed');
    const { stores } = await world.compose('look')();
    const record = await stores.records.get(governed);
    expect(record?.conditions.automation).toMatchObject({
      ...{ verdict: 'Blocked', reason: 'organizationConfiguration', attempts: 0, notBefore: null },
      ruleModeSource: { type: 'applied', targetId: governed },
    });
    expect(await world.dead()).toEqual([]);
  },
);
