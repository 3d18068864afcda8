import { describe, expect, it, onTestFinished } from 'vitest';
import { createAwsInspection } from '../../../../shared/adapters/aws/cloud/inspection.ts';
import { failureOf } from '../../../contract/cloud-world.ts';
import { ORGANIZATION, OTHER } from './fake-organizations.ts';
import { ACCOUNT, cloudOn, json, OWN_KEY, openGate, type WireRequest, wireCloud, wireServer } from './support.ts';

describe('reading the organization', () => {
  it('caller identification and the doctor fail on repeated page tokens', async () => {
    let pages = 0;
    const next = () => {
      pages += 1;
      return pages % 2 === 0 ? 'A' : 'B';
    };
    const world = await wireCloud(({ operation }: WireRequest, response) => {
      if (operation === 'DescribeOrganization')
        json(response, 200, { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } });
      else if (operation === 'ListDelegatedAdministrators')
        json(response, 200, { DelegatedAdministrators: [{ Id: OTHER }], NextToken: next() });
      else if (operation === 'ListAWSServiceAccessForOrganization')
        json(response, 200, { EnabledServicePrincipals: [], NextToken: next() });
      else if (operation === 'ListAccounts') json(response, 200, { Accounts: [], NextToken: next() });
      else json(response, 200, { accountEnrollmentStatuses: [], nextToken: next() });
    });
    const silent = () => undefined;
    const inspection = createAwsInspection({
      ...{ gate: openGate, logger: { debug: silent, info: silent, warn: silent, error: silent } },
      timeouts: { connectMs: 1_000, requestMs: 5_000 },
    });
    onTestFinished(() => inspection.close());
    const questions: readonly (() => Promise<unknown>)[] = [
      () => world.cloud.identify(),
      () => inspection.delegatedAdministrators(),
      () => inspection.trustedServices(),
      () => inspection.failedEnrollments('computeOptimizer'),
      () => inspection.members(1),
    ];
    for (const ask of questions) {
      pages = 0;
      const { details: facts, message } = await failureOf(ask());
      expect(facts).toMatchObject({ kind: 'Invalid', code: 'UnexpectedAnswer' });
      expect(message).toContain('a page token was repeated');
      expect(pages).toBeLessThan(12);
    }
  });
});

describe('caller identification', () => {
  it('reports an account outside any organization', async () => {
    const wire = await wireCloud((_, response) => json(response, 400, { __type: 'AWSOrganizationsNotInUseException' }));
    const { details: facts, message } = await failureOf(wire.cloud.identify());
    expect(facts).toMatchObject({ kind: 'Prerequisite', code: 'AWSOrganizationsNotInUseException' });
    expect(message).toContain('does not belong to an AWS Organization');
  });

  const asMember = (answers: Readonly<Record<string, unknown>>) =>
    wireCloud(({ operation }, response) => {
      const elsewhere = { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } };
      const answer = operation === 'DescribeOrganization' ? elsewhere : answers[operation];
      const failed = typeof answer === 'object' && answer !== null && '__type' in answer;
      json(response, failed ? 400 : 200, answer);
    });

  it('finds the delegated administrator on any page', async () => {
    let page = 0;
    const { cloud } = await wireCloud(({ operation }, response) => {
      if (operation === 'DescribeOrganization')
        json(response, 200, { Organization: { ...ORGANIZATION, MasterAccountId: OTHER } });
      else {
        page += 1;
        json(
          response,
          200,
          page === 1 ? { DelegatedAdministrators: [], NextToken: '2' } : { DelegatedAdministrators: [{ Id: ACCOUNT }] },
        );
      }
    });
    expect((await cloud.identify()).role).toBe('delegatedAdministrator');
  });

  it('a caller that may not list administrators is one if AWS lets it list enrollments', async () => {
    const denied = { __type: 'AccessDeniedException' };
    const lists = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: { accountEnrollmentStatuses: [] },
    });
    expect((await lists.cloud.identify()).role).toBe('delegatedAdministrator');
    const refused = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: denied,
    });
    expect((await failureOf(refused.cloud.identify())).details.code).toBe('NotOrganizationCaller');
    const throttled = await asMember({
      ListDelegatedAdministrators: denied,
      GetEnrollmentStatusesForOrganization: { __type: 'ThrottlingException' },
    });
    expect((await failureOf(throttled.cloud.identify())).kind).toBe('Throttled');
  });

  it('happens once for all calls, again after a failure, and again on identify', async () => {
    let asked = 0;
    const wire = await wireServer(({ operation }, response) => {
      if (operation !== 'GetCallerIdentity')
        return json(response, 200, { Organization: ORGANIZATION, status: 'Active' });
      asked += 1;
      if (asked === 1) return json(response, 500, {});
      response.end(
        `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${ACCOUNT}</Account><Arn>arn:aws:iam::${ACCOUNT}:user/${OWN_KEY.length}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
    });
    const { cloud } = cloudOn(wire.endpoint);
    await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    await Promise.all([1, 2, 3].map(() => cloud.read('computeOptimizer', ACCOUNT)));
    expect(asked).toBe(2);
    await cloud.identify();
    expect(asked).toBe(3);
  });
});
