import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClients } from '../../../../shared/adapters/aws/cloud/clients.ts';
import {
  GetResourcesCommand,
  PaginationTokenExpiredException,
  ResourceGroupsTaggingAPIClient,
  type ResourceGroupsTaggingAPIClientConfig,
  ResourceGroupsTaggingAPIServiceException,
  ThrottledException,
} from '../../../../shared/adapters/aws/cloud/tagging-client/index.ts';
import { DIRECT } from '../../../../shared/domain/network.ts';
import { awsSettings, json, type WireAnswer, wireServer } from './support.ts';

async function clientOn(answer: WireAnswer) {
  const wire = await wireServer(answer);
  const endpoint = { AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API: wire.endpoint };
  awsSettings({ ...endpoint, AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x' });
  const client = new ResourceGroupsTaggingAPIClient({ maxAttempts: 1, region: 'us-east-1' });
  onTestFinished(() => client.destroy());
  return { client, ...wire };
}

describe('the client of the Tagging API', () => {
  it('sends awsJson1_1 to the right target, signed for the right service', async () => {
    const mapping = { ResourceARN: 'arn:aws:organizations::1', Tags: [{ Key: 'env', Value: 'dev' }] };
    const { client, requests } = await clientOn((_, response) =>
      json(response, 200, { ResourceTagMappingList: [mapping], PaginationToken: '' }),
    );
    const input = { ResourceTypeFilters: ['organizations:account'], ResourcesPerPage: 100, PaginationToken: 'next' };
    const answer = await client.send(new GetResourcesCommand(input));
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'ResourceGroupsTaggingAPI_20170126.GetResources',
      authorization: expect.stringMatching(/Credential=AKIAX\/\d{8}\/us-east-1\/tagging\/aws4_request/),
      'user-agent': expect.stringContaining('api/resource-groups-tagging-api#'),
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(input);
    expect(answer).toMatchObject({ ResourceTagMappingList: [mapping], PaginationToken: '' });
  });

  it('throws modelled errors as their classes and other errors as the service exception', async () => {
    const codes = ['ThrottledException', 'PaginationTokenExpiredException', 'NewException'];
    let call = 0;
    const { client } = await clientOn((_, response) => {
      json(response, 400, { __type: codes[call], Message: `number ${call}` });
      call += 1;
    });
    const thrown = async () => client.send(new GetResourcesCommand({})).catch((error: unknown) => error);
    const [throttled, expired, other] = [await thrown(), await thrown(), await thrown()];
    expect(throttled).toBeInstanceOf(ThrottledException);
    expect(throttled).toMatchObject({ name: 'ThrottledException', $fault: 'client', message: 'number 0' });
    expect(expired).toBeInstanceOf(PaginationTokenExpiredException);
    for (const error of [throttled, expired, other])
      expect(error).toBeInstanceOf(ResourceGroupsTaggingAPIServiceException);
    expect(other).toMatchObject({ name: 'NewException' });
  });

  it.each<[ResourceGroupsTaggingAPIClientConfig, string]>([
    [{}, 'tagging.us-east-1.amazonaws.com'],
    [{ useFipsEndpoint: true }, 'tagging-fips.us-east-1.amazonaws.com'],
    [{ useDualstackEndpoint: true }, 'tagging.us-east-1.api.aws'],
  ])('resolves %o to %s', async (config, host) => {
    awsSettings({});
    let called = '';
    const client = new ResourceGroupsTaggingAPIClient({
      credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'x' },
      ...{ maxAttempts: 1, region: 'us-east-1', ...config },
      requestHandler: {
        async handle(request: { readonly hostname: string }) {
          called = request.hostname;
          throw new Error('not sent');
        },
      },
    });
    await expect(client.send(new GetResourcesCommand({}))).rejects.toThrow('not sent');
    expect(called).toBe(host);
  });
});

describe('the clients of the adapter', () => {
  it('create that of the Tagging API at its first use, once, and close it', () => {
    const options = { region: 'eu-west-1', maxSockets: 1, connectTimeoutMs: 1, requestTimeoutMs: 1, logger: null };
    const unused = createClients({ ...options, network: DIRECT });
    const used = createClients({ ...options, network: DIRECT });
    expect(used.tagging).toBe(used.tagging);
    const destroy = vi.spyOn(used.tagging, 'destroy');
    used.close();
    unused.close();
    expect(destroy).toHaveBeenCalledTimes(1);
  });
});
