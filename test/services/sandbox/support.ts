import { ComputeOptimizerClient } from '@aws-sdk/client-compute-optimizer';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { STSClient } from '@aws-sdk/client-sts';
import { cbor } from '@smithy/core/cbor';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import type { AccountTruth } from '../../../services/sandbox/engine/accounts.ts';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../../services/sandbox/start.ts';

export const START = Date.UTC(2026, 10, 2, 9);
export const HOUR_MS = 3_600_000;

export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

export const as = (accountId: string): Credentials => ({ accessKeyId: accountId, secretAccessKey: 'any' });

/** A sandbox on a free port with a stopped clock, closed when the test ends. */
export async function sandboxForTest(options: StartOptions = {}): Promise<RunningSandbox> {
  const running = await startSandbox({ accounts: 25, port: 0, clock: { now: () => START }, ...options });
  onTestFinished(() => running.close());
  return running;
}

function config(running: RunningSandbox, credentials: Credentials, region = 'us-east-1') {
  return { endpoint: running.endpoint, region, credentials, maxAttempts: 1 };
}

/** The AWS SDK's clients, with credentials of the management account by default. */
export function clients(running: RunningSandbox, credentials = as(running.info.managementAccountId), region?: string) {
  const settings = config(running, credentials, region);
  return {
    computeOptimizer: new ComputeOptimizerClient(settings),
    organizations: new OrganizationsClient(settings),
    sts: new STSClient(settings),
    events: new EventBridgeClient(settings),
  };
}

/** Accounts that are neither the management account nor the delegated administrator, and ACTIVE. */
export function members(running: RunningSandbox): AccountTruth[] {
  return running.sandbox
    .accounts()
    .filter(
      ({ accountId, management, state }) =>
        !management && state === 'ACTIVE' && accountId !== running.info.delegatedAdministratorId,
    );
}

/** The first matching member. Fails the test if no member matches. */
export function member(running: RunningSandbox, fits: (account: AccountTruth) => boolean = () => true): AccountTruth {
  const found = members(running).find(fits);
  if (found === undefined) throw new Error('The sandbox has no such account');
  return found;
}

export function truth(running: RunningSandbox, accountId: string): AccountTruth {
  const [found] = running.sandbox.accounts(accountId);
  if (found === undefined) throw new Error(`The sandbox has no account ${accountId}`);
  return found;
}

export const automated = (account: AccountTruth): boolean => account.automation.status === 'Active';

/** The time of a signed request, which the sandbox does not check. */
export const SIGNED_AT = '20261102T090000Z';

export function authorization(accessKeyId: string, service: string, region = 'us-east-1'): string {
  const scope = `${accessKeyId}/20261102/${region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
}

const SHAPES: Readonly<Record<string, string>> = {
  'compute-optimizer': 'ComputeOptimizerService',
  'aco-automation': 'ComputeOptimizerAutomationService',
  'cost-optimization-hub': 'CostOptimizationHubService',
  organizations: 'AWSOrganizationsV20161128',
  tagging: 'ResourceGroupsTaggingAPI_20170126',
  events: 'AWSEvents',
};

const bodySchema = z.record(z.string(), z.unknown());
export type RawAnswer = { status: number; headers: Headers; body: Record<string, unknown>; error: string | undefined };

function rawAnswer(response: Response, decoded: unknown): RawAnswer {
  const body = bodySchema.parse(decoded);
  const type = body['__type'];
  const error = typeof type === 'string' ? type.slice(type.indexOf('#') + 1) : undefined;
  return { status: response.status, headers: response.headers, body, error };
}

export type RawCall = {
  as?: Credentials;
  scope?: string;
  region?: string;
  headers?: Record<string, string>;
};

/** Sends a hand-made awsJson request. A string `input` is sent unchanged. */
export async function json(
  running: RunningSandbox,
  service: string,
  operation: string,
  input: unknown = {},
  { as: caller = as(running.info.managementAccountId), scope = service, region, headers = {} }: RawCall = {},
): Promise<RawAnswer> {
  const version = service === 'compute-optimizer' || service === 'aco-automation' ? '1.0' : '1.1';
  const response = await fetch(running.endpoint, {
    method: 'POST',
    headers: {
      'content-type': `application/x-amz-json-${version}`,
      'x-amz-target': `${SHAPES[service] ?? service}.${operation}`,
      authorization: authorization(caller.accessKeyId, scope, region),
      'x-amz-date': SIGNED_AT,
      ...(caller.sessionToken === undefined ? {} : { 'x-amz-security-token': caller.sessionToken }),
      ...headers,
    },
    body: typeof input === 'string' ? input : JSON.stringify(input),
  });
  return rawAnswer(response, await response.json());
}

/** Calls Automation by hand in awsJson1_0, because the tests have no client for it. */
export function automation(
  running: RunningSandbox,
  operation: string,
  input: unknown = {},
  caller?: Credentials,
): Promise<RawAnswer> {
  return json(running, 'aco-automation', operation, input, caller === undefined ? {} : { as: caller });
}

/** Sends a hand-made rpc-v2-cbor request. Bytes as `input` are sent unchanged. */
export async function rpcCbor(
  running: RunningSandbox,
  service: string,
  operation: string,
  input: unknown = {},
  caller = as(running.info.managementAccountId),
): Promise<RawAnswer> {
  const bytes = input instanceof Uint8Array ? input : cbor.serialize(input);
  const response = await fetch(`${running.endpoint}/service/${SHAPES[service] ?? service}/operation/${operation}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
      accept: 'application/cbor',
      authorization: authorization(caller.accessKeyId, service),
      'x-amz-date': SIGNED_AT,
    },
    body: Uint8Array.from(bytes),
  });
  const received = new Uint8Array(await response.arrayBuffer());
  return rawAnswer(response, cbor.deserialize(received));
}

/** Sends an awsQuery request to STS. @returns the text of the response */
export async function query(
  running: RunningSandbox,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(running.endpoint, {
    method: 'POST',
    headers: {
      authorization: authorization(running.info.managementAccountId, 'sts'),
      'x-amz-date': SIGNED_AT,
      ...headers,
    },
    body: new URLSearchParams(parameters),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A control request under `/_sandbox/`. */
export async function control(
  running: RunningSandbox,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const init =
    body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${running.endpoint}/_sandbox/${path}`, init);
  return { status: response.status, body: bodySchema.parse(await response.json()) };
}
