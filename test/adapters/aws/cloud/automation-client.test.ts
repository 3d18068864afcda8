import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AssociateAccountsCommand,
  ComputeOptimizerAutomationClient,
  type ComputeOptimizerAutomationClientConfig,
  ComputeOptimizerAutomationServiceException,
  ConflictException,
  DeleteOrganizationEnrollmentConfigurationCommand,
  DisassociateAccountsCommand,
  ForbiddenException,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  ListOrganizationalUnitsCommand,
  ListOrganizationEnrollmentConfigurationsCommand,
  PutOrganizationEnrollmentConfigurationCommand,
  ThrottlingException,
  UpdateEnrollmentConfigurationCommand,
} from '../../../../shared/adapters/aws/cloud/automation-client/index.ts';
import { awsSettings, json, type WireAnswer, wireServer } from './support.ts';

async function clientOn(answer: WireAnswer, settings: Readonly<Record<string, string>> = {}) {
  const wire = await wireServer(answer);
  const endpoint = { AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER_AUTOMATION: wire.endpoint };
  awsSettings({ ...endpoint, AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x', ...settings });
  const client = new ComputeOptimizerAutomationClient({ maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return { client, ...wire };
}

/** The destination of a request, which is not sent. */
async function hostOf(config: ComputeOptimizerAutomationClientConfig): Promise<string> {
  awsSettings({});
  let host = '';
  const client = new ComputeOptimizerAutomationClient({
    credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'x' },
    maxAttempts: 1,
    ...config,
    requestHandler: {
      async handle(request: { readonly hostname: string }) {
        host = request.hostname;
        throw new Error('not sent');
      },
    },
  });
  await client.send(new GetEnrollmentConfigurationCommand({})).catch((error: unknown) => {
    if (!(error instanceof Error) || error.message !== 'not sent') throw error;
  });
  return host;
}

describe('the client of Compute Optimizer Automation', () => {
  it('sends awsJson1_0 to the right target, signed for the right service', async () => {
    const { client, requests } = await clientOn((_, response) => json(response, 200, { accounts: [] }));
    await client.send(new ListAccountsCommand({ maxResults: 7, nextToken: 'bmV4dA==' }));
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'ComputeOptimizerAutomationService.ListAccounts',
      authorization: expect.stringMatching(/Credential=AKIAX\/\d{8}\/eu-west-1\/aco-automation\/aws4_request/),
      'user-agent': expect.stringContaining('api/compute-optimizer-automation#'),
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ maxResults: 7, nextToken: 'bmV4dA==' });
  });

  it('adds a new client token to each call but keeps a given one', async () => {
    const { client, requests } = await clientOn((_, response) => json(response, 200, { status: 'Active' }));
    await client.send(new UpdateEnrollmentConfigurationCommand({ status: 'Active' }));
    await client.send(new AssociateAccountsCommand({ accountIds: ['111122223333'] }));
    await client.send(new DisassociateAccountsCommand({ accountIds: ['111122223333'], clientToken: 'mine' }));
    const [first, second, third] = requests.map(({ body }) => JSON.parse(body));
    expect(first).toEqual({ status: 'Active', clientToken: expect.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/) });
    expect(second.clientToken).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(second.clientToken).not.toBe(first.clientToken);
    expect(third).toEqual({ accountIds: ['111122223333'], clientToken: 'mine' });
  });

  it('returns times as dates', async () => {
    const { client } = await clientOn((_, response) =>
      json(response, 200, {
        accounts: [
          {
            accountId: '111122223333',
            status: 'Active',
            organizationRuleMode: 'AnyAllowed',
            lastUpdatedTimestamp: 1.5,
          },
        ],
        nextToken: 'bmV4dA==',
      }),
    );
    const { accounts, nextToken, $metadata } = await client.send(new ListAccountsCommand({}));
    expect(accounts).toEqual([
      {
        ...{ accountId: '111122223333', status: 'Active', organizationRuleMode: 'AnyAllowed' },
        lastUpdatedTimestamp: new Date(1500),
      },
    ]);
    expect(nextToken).toBe('bmV4dA==');
    expect($metadata.requestId).toBe('request-1');
  });

  it('puts and deletes organization enrollment configurations of an account, an OU and the root', async () => {
    const { client, requests } = await clientOn((_, response) => json(response, 200, {}));
    const ou = { organizationalUnitId: 'ou-abcd-abcdefgh' };
    await client.send(
      new PutOrganizationEnrollmentConfigurationCommand({ target: ou, organizationRuleMode: 'AnyAllowed' }),
    );
    await client.send(
      new DeleteOrganizationEnrollmentConfigurationCommand({
        ...{ target: { accountId: '111122223333' }, configurationTypes: ['OrganizationRuleMode'], clientToken: 'mine' },
      }),
    );
    const [put, deletion] = requests;
    expect(put?.operation).toBe('PutOrganizationEnrollmentConfiguration');
    expect(JSON.parse(put?.body ?? '')).toEqual({
      ...{
        target: ou,
        organizationRuleMode: 'AnyAllowed',
        clientToken: expect.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/),
      },
    });
    expect(deletion?.operation).toBe('DeleteOrganizationEnrollmentConfiguration');
    expect(JSON.parse(deletion?.body ?? '')).toEqual({
      ...{ target: { accountId: '111122223333' }, configurationTypes: ['OrganizationRuleMode'], clientToken: 'mine' },
    });
  });

  it('lists organization enrollment configurations', async () => {
    const stored = { targetId: 'r-abcd', targetType: 'OrganizationalUnit', organizationRuleMode: 'NoneAllowed' };
    const { client, requests } = await clientOn((_, response) =>
      json(response, 200, { organizationEnrollmentConfigurations: [stored], nextToken: 'bmV4dA==' }),
    );
    const input = { targetType: 'OrganizationalUnit', maxResults: 3, nextToken: 'dGhpcw==' } as const;
    const answer = await client.send(new ListOrganizationEnrollmentConfigurationsCommand(input));
    expect(answer).toMatchObject({ organizationEnrollmentConfigurations: [stored], nextToken: 'bmV4dA==' });
    expect(requests[0]?.operation).toBe('ListOrganizationEnrollmentConfigurations');
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(input);
  });

  it('lists organizational units', async () => {
    const unit = {
      ...{
        organizationalUnitId: 'ou-abcd-abcdefgh',
        autoEnrollMemberAccounts: 'All',
        organizationRuleMode: 'AnyAllowed',
      },
      organizationRuleModeSource: { sourceType: 'Inherited', sourceTargetId: 'r-abcd' },
    };
    const { client, requests } = await clientOn((_, response) => json(response, 200, { organizationalUnits: [unit] }));
    const input = { organizationalUnitIds: ['ou-abcd-abcdefgh'], maxResults: 5, nextToken: 'dGhpcw==' };
    const { organizationalUnits } = await client.send(new ListOrganizationalUnitsCommand(input));
    expect(organizationalUnits).toEqual([unit]);
    expect(requests[0]?.operation).toBe('ListOrganizationalUnits');
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(input);
  });

  it('returns where the rule mode of an account comes from', async () => {
    const enrollment = { status: 'Active', organizationRuleMode: 'AnyAllowed', lastUpdatedTimestamp: 1.5 };
    const organizationRuleModeSource = { sourceType: 'Inherited', sourceTargetId: 'ou-abcd-abcdefgh' };
    const { client } = await clientOn(({ operation }, response) =>
      json(
        response,
        200,
        operation === 'ListAccounts'
          ? { accounts: [{ accountId: '111122223333', ...enrollment, organizationRuleModeSource }] }
          : { ...enrollment, organizationEnrollmentConfigurationStatus: 'Active' },
      ),
    );
    const { accounts } = await client.send(new ListAccountsCommand({}));
    expect(accounts?.[0]?.organizationRuleModeSource).toEqual(organizationRuleModeSource);
    const own = await client.send(new GetEnrollmentConfigurationCommand({}));
    expect(own.organizationEnrollmentConfigurationStatus).toBe('Active');
  });

  it('throws modelled errors as their classes and other errors as the service exception', async () => {
    const codes = [
      'ForbiddenException',
      'com.amazonaws.computeoptimizerautomation#ThrottlingException',
      'NewException',
      'ConflictException',
    ];
    let call = 0;
    const { client } = await clientOn((_, response) => {
      json(response, 400, { __type: codes[call], message: `number ${call}` });
      call += 1;
    });
    const thrown = async () => client.send(new GetEnrollmentConfigurationCommand({})).catch((error: unknown) => error);
    const [forbidden, throttled, other] = [await thrown(), await thrown(), await thrown()];
    expect(await thrown()).toBeInstanceOf(ConflictException);
    expect(forbidden).toBeInstanceOf(ForbiddenException);
    expect(forbidden).toMatchObject({ name: 'ForbiddenException', $fault: 'client', message: 'number 0' });
    expect(throttled).toBeInstanceOf(ThrottlingException);
    for (const error of [forbidden, throttled, other]) {
      expect(error).toBeInstanceOf(ComputeOptimizerAutomationServiceException);
    }
    expect(other).toMatchObject({ name: 'NewException' });
  });

  it('uses the endpoint for all services unless it has its own', async () => {
    const wire = await wireServer((_, response) => json(response, 200, { status: 'Active' }));
    awsSettings({ AWS_ENDPOINT_URL: wire.endpoint, AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x' });
    const client = new ComputeOptimizerAutomationClient({});
    await client.send(new GetEnrollmentConfigurationCommand({}));
    client.destroy();
    expect(wire.requests).toHaveLength(1);
  });

  it.each([
    [{ region: 'eu-central-1' }, 'aco-automation.eu-central-1.amazonaws.com'],
    [{ region: 'cn-north-1' }, 'aco-automation.cn-north-1.amazonaws.com.cn'],
    [{ region: 'us-gov-west-1' }, 'aco-automation.us-gov-west-1.amazonaws.com'],
    [{ region: 'us-east-1', useFipsEndpoint: true }, 'aco-automation-fips.us-east-1.amazonaws.com'],
    [{ region: 'us-east-1', useDualstackEndpoint: true }, 'aco-automation.us-east-1.api.aws'],
    [{ region: 'cn-north-1', useDualstackEndpoint: true }, 'aco-automation.cn-north-1.api.amazonwebservices.com.cn'],
    [
      { region: 'us-west-2', useFipsEndpoint: true, useDualstackEndpoint: true },
      'aco-automation-fips.us-west-2.api.aws',
    ],
    [{ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' }, '127.0.0.1'],
  ])('resolves %o to %s', async (config, host) => {
    expect(await hostOf(config)).toBe(host);
  });

  it('rejects options that no partition offers', async () => {
    const custom = { region: 'us-east-1', endpoint: 'http://127.0.0.1:1' };
    await expect(hostOf({ ...custom, useFipsEndpoint: true })).rejects.toThrow('FIPS and custom endpoint');
    await expect(hostOf({ ...custom, useDualstackEndpoint: true })).rejects.toThrow('Dualstack and custom endpoint');
  });
});
