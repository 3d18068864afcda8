import { expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { compilePolicy, parsePolicy } from '../../../shared/domain/policy/index.ts';
import { account, facts, sealAll } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { api, store as openStore } from './support.ts';

const OLD = `version: 1
defaults: { computeOptimizer: Active }
guardrails:
  maxChanges: { percent: 20, atLeast: 10 }
`;
const NEW = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: production
    match: { ou: /Prod }
    automation: Active
guardrails:
  maxChanges: { percent: 50, atLeast: 10 }
`;

function compiled(text: string) {
  const read = parsePolicy(text, { file: 'rollcall.yaml', now: MANUAL_CLOCK_START });
  if (!read.ok) throw new Error(read.findings.map(({ message }) => message).join('; '));
  return compilePolicy(read.policy);
}

const member = (n: number, ou: string) => facts(n, { ou });

test('a version says who put it in force, what it changed, and for how many accounts', async () => {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  const [from, to] = [compiled(OLD), compiled(NEW)];
  const changed = (policyHash: string, actor: string, text: string) =>
    ({
      type: 'PolicyChanged',
      id: actor,
      policyHash,
      actor,
      detail: { policy: { file: 'rollcall.yaml', text } },
    }) as const;
  await store.ledger.append(
    sealAll('organization', [
      { type: 'PolicyChanged', id: 'first', policyHash: 'f'.repeat(64) },
      changed(from.hash, 'mei', OLD),
      changed(to.hash, 'jonas', NEW),
    ]),
  );
  await store.snapshots.save({
    ...{ organizationId: 'o-aaaaaaaaaa', managementAccountId: account(9), takenAt: MANUAL_CLOCK_START, tags: true },
    accounts: [member(1, '/Prod/A'), member(2, '/Prod'), member(3, '/Dev')],
  });
  const { get, send } = await api({ store, clock, policy: to });
  const policy = await get('/api/policy', SCHEMAS.Policy);
  expect(policy.version).toMatchObject({ hash: to.hash, actor: 'jonas' });
  expect(policy.source).toEqual({ file: 'rollcall.yaml', lines: NEW.trimEnd().split('\n') });
  expect(policy.rules).toMatchObject([{ id: 'production', line: 4, deciding: 2 }]);
  expect(policy.usage).toMatchObject({ changedAccounts: 0, approvedAccounts: 0, optOuts: 0, changeCap: null });

  const { versions } = await get('/api/policy/versions', SCHEMAS.PolicyVersions);
  expect(versions.map(({ actor, hasText }) => [actor, hasText])).toMatchObject([
    ['jonas', true],
    ['mei', true],
    [expect.any(String), false],
  ]);
  const change = await get(`/api/policy/versions/${versions[0]?.entryId}`, SCHEMAS.PolicyChange);
  const lines = change.hunks?.flat() ?? [];
  expect(lines.filter((line) => line.from === null).map((line) => [line.to, line.text.trim()])).toEqual([
    [3, 'rules:'],
    [4, '- id: production'],
    [5, 'match: { ou: /Prod }'],
    [6, 'automation: Active'],
    [8, 'maxChanges: { percent: 50, atLeast: 10 }'],
  ]);
  expect(change.effect).toMatchObject({
    settings: [{ field: 'automation', from: 'unmanaged', to: 'Active', accounts: 2 }],
    exemptions: [],
    guardrails: [{ guardrail: 'maxChanges', from: '20%, at least 10', to: '50%, at least 10' }],
  });
  // The text before the second version is not recorded.
  const second = await get(`/api/policy/versions/${versions[1]?.entryId}`, SCHEMAS.PolicyChange);
  expect(second).toMatchObject({ hunks: null, effect: null });
  expect((await send('/api/policy/versions/none')).json).toMatchObject({ code: 'VersionUnknown' });
});
