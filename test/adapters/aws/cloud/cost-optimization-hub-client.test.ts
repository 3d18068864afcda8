import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClients } from '../../../../shared/adapters/aws/cloud/clients.ts';
import {
  CostOptimizationHubClient,
  type CostOptimizationHubClientConfig,
  CostOptimizationHubServiceException,
  ListEnrollmentStatusesCommand,
  ThrottlingException,
  UpdateEnrollmentStatusCommand,
  ValidationException,
} from '../../../../shared/adapters/aws/cloud/cost-optimization-hub-client/index.ts';
import { DIRECT } from '../../../../shared/domain/network.ts';
import { awsSettings, json, type WireAnswer, wireServer } from './support.ts';

async function clientOn(answer: WireAnswer) {
  const wire = await wireServer(answer);
  const endpoint = { AWS_ENDPOINT_URL_COST_OPTIMIZATION_HUB: wire.endpoint };
  awsSettings({ ...endpoint, AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x' });
  const client = new CostOptimizationHubClient({ maxAttempts: 1, region: 'us-east-1' });
  onTestFinished(() => client.destroy());
  return { client, ...wire };
}

describe('the client of Cost Optimization Hub', () => {
  it('sends awsJson1_0 to the right target, signed for the right service', async () => {
    const { client, requests } = await clientOn((_, response) => json(response, 200, { items: [] }));
    const input = { includeOrganizationInfo: true, maxResults: 7, nextToken: 'bmV4dA==' };
    await client.send(new ListEnrollmentStatusesCommand(input));
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'CostOptimizationHubService.ListEnrollmentStatuses',
      authorization: expect.stringMatching(/Credential=AKIAX\/\d{8}\/us-east-1\/cost-optimization-hub\/aws4_request/),
      'user-agent': expect.stringContaining('api/cost-optimization-hub#'),
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(input);
  });

  it('returns times as dates', async () => {
    const listed = { accountId: '111122223333', status: 'Active' };
    const { client } = await clientOn((_, response) =>
      json(response, 200, {
        items: [{ ...listed, createdTimestamp: 1.5, lastUpdatedTimestamp: 2 }],
        includeMemberAccounts: true,
        nextToken: 'bmV4dA==',
      }),
    );
    const { items, includeMemberAccounts, nextToken } = await client.send(new ListEnrollmentStatusesCommand({}));
    expect(items).toEqual([{ ...listed, createdTimestamp: new Date(1500), lastUpdatedTimestamp: new Date(2000) }]);
    expect({ includeMemberAccounts, nextToken }).toEqual({ includeMemberAccounts: true, nextToken: 'bmV4dA==' });
  });

  it('changes the enrollment of the own account or of the organization, without a client token', async () => {
    const { client, requests } = await clientOn((_, response) => json(response, 200, { status: 'Success' }));
    const answer = await client.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    await client.send(new UpdateEnrollmentStatusCommand({ status: 'Active', includeMemberAccounts: true }));
    expect(answer.status).toBe('Success');
    expect(requests.map(({ body }) => JSON.parse(body))).toEqual([
      { status: 'Inactive' },
      { status: 'Active', includeMemberAccounts: true },
    ]);
  });

  it('throws modelled errors as their classes and other errors as the service exception', async () => {
    const codes = ['ValidationException', 'com.amazonaws.costoptimizationhub#ThrottlingException', 'NewException'];
    let call = 0;
    const { client } = await clientOn((_, response) => {
      json(response, 400, { __type: codes[call], message: `number ${call}` });
      call += 1;
    });
    const thrown = async () => client.send(new ListEnrollmentStatusesCommand({})).catch((error: unknown) => error);
    const [invalid, throttled, other] = [await thrown(), await thrown(), await thrown()];
    expect(invalid).toBeInstanceOf(ValidationException);
    expect(invalid).toMatchObject({ name: 'ValidationException', $fault: 'client', message: 'number 0' });
    expect(throttled).toBeInstanceOf(ThrottlingException);
    for (const error of [invalid, throttled, other]) expect(error).toBeInstanceOf(CostOptimizationHubServiceException);
    expect(other).toMatchObject({ name: 'NewException' });
  });

  it.each<[CostOptimizationHubClientConfig, string]>([
    [{}, 'cost-optimization-hub.us-east-1.amazonaws.com'],
    [{ useFipsEndpoint: true }, 'cost-optimization-hub-fips.us-east-1.amazonaws.com'],
    [{ useDualstackEndpoint: true }, 'cost-optimization-hub.us-east-1.api.aws'],
  ])('resolves %o to %s', async (config, host) => {
    awsSettings({});
    let called = '';
    const client = new CostOptimizationHubClient({
      credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'x' },
      ...{ maxAttempts: 1, region: 'us-east-1', ...config },
      requestHandler: {
        async handle(request: { readonly hostname: string }) {
          called = request.hostname;
          throw new Error('not sent');
        },
      },
    });
    await expect(client.send(new ListEnrollmentStatusesCommand({}))).rejects.toThrow('not sent');
    expect(called).toBe(host);
  });
});

describe('the clients of the adapter', () => {
  it('create that of Cost Optimization Hub at its first use, once, and close it', () => {
    const options = { region: 'eu-west-1', maxSockets: 1, connectTimeoutMs: 1, requestTimeoutMs: 1, logger: null };
    const unused = createClients({ ...options, network: DIRECT });
    const destroy = vi.spyOn(CostOptimizationHubClient.prototype, 'destroy');
    onTestFinished(() => destroy.mockRestore());
    unused.close();
    expect(destroy).not.toHaveBeenCalled();
    const used = createClients({ ...options, network: DIRECT });
    expect(used.costOptimizationHub).toBe(used.costOptimizationHub);
    used.close();
    expect(destroy).toHaveBeenCalledTimes(1);
  });
});
