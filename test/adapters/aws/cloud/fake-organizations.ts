import type { World } from '../../../contract/cloud-world.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { ACCOUNT, json, type WireRequest, wireCloud } from './support.ts';

export const read = ({ cloud }: Pick<World, 'cloud'>, tags = false) =>
  cloud.readOrganization({ tags, retry: withoutRetries });
export const ORGANIZATION = { Id: 'o-abc1234567', MasterAccountId: ACCOUNT };
export const OTHER = '222233334444';

interface FakeAccount {
  readonly Id: string;
  readonly Name?: string;
  readonly State?: string | undefined;
  readonly Status?: string;
  readonly Paths?: readonly string[];
}

/** Simulates Organizations by a table of answers by operation; an answer may depend on the request. */
export function organizations(answers: Readonly<Record<string, (input: Readonly<Record<string, string>>) => unknown>>) {
  return wireCloud(({ operation, body }: WireRequest, response) => {
    const answer = operation === 'DescribeOrganization' ? () => ({ Organization: ORGANIZATION }) : answers[operation];
    if (answer === undefined) json(response, 400, { __type: 'UnknownOperationException' });
    else {
      const output = answer(JSON.parse(body));
      json(response, typeof output === 'object' && output !== null && '__type' in output ? 400 : 200, output);
    }
  });
}

export const root = `${ORGANIZATION.Id}/r-root`;

export const inRoot = (account: Omit<FakeAccount, 'Paths'>): FakeAccount => ({
  State: 'ACTIVE',
  ...account,
  Paths: [`${root}/${account.Id}/`],
});

export const management = inRoot({ Id: ACCOUNT, Name: 'management' });

export const accountsOf = async (accounts: readonly FakeAccount[], more: Parameters<typeof organizations>[0] = {}) =>
  organizations({ ListAccounts: () => ({ Accounts: accounts }), ...more });
