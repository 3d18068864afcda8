import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { onTestFinished, vi } from 'vitest';
import { startSandbox } from '../../../../services/sandbox/start.ts';
import { type AwsCloudOptions, createAwsCloud } from '../../../../shared/adapters/aws/cloud/cloud.ts';
import type { CallGate } from '../../../../shared/ports/cloud.ts';
import { type GateCall, recordingGate, type World, type WorldOptions } from '../../../contract/cloud-world.ts';
import { manualClock } from '../../../support/manual-clock.ts';

/** Settings of the machine that must not affect a test. */
const FOREIGN = ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL', 'AWS_USE_FIPS_ENDPOINT', 'AWS_MAX_ATTEMPTS'];

/** Sets the SDK's environment for one test and clears that of the machine. */
export function awsSettings(settings: Readonly<Record<string, string>>): void {
  vi.unstubAllEnvs();
  for (const name of FOREIGN) vi.stubEnv(name, undefined);
  const none = {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries({ ...none, AWS_REGION: 'eu-west-1', ...settings }))
    vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

const as = (accountId: string) => ({ AWS_ACCESS_KEY_ID: accountId, AWS_SECRET_ACCESS_KEY: 'any' });

export type AwsWorldOptions = WorldOptions & {
  readonly settings?: Readonly<Record<string, string>>;
  readonly cloud?: Partial<AwsCloudOptions>;
};

/** The AWS adapter in front of a sandbox on its own port. */
export async function awsWorld(options: AwsWorldOptions = {}): Promise<World & { readonly endpoint: string }> {
  const clock = manualClock();
  const sandboxOptions = { accounts: 25, ...options.sandbox };
  const running = await startSandbox({ ...sandboxOptions, port: 0, clock, faults: [...(sandboxOptions.faults ?? [])] });
  const { sandbox, info } = running;
  const outsider = sandbox
    .accounts()
    .find(
      ({ accountId, management, state }) =>
        !management && state === 'ACTIVE' && accountId !== info.delegatedAdministratorId,
    );
  const callers = {
    management: info.managementAccountId,
    delegatedAdministrator: info.delegatedAdministratorId,
    member: outsider?.accountId ?? '',
  };
  awsSettings({
    AWS_ENDPOINT_URL: running.endpoint,
    ...as(callers[options.caller ?? 'management']),
    ...options.settings,
  });
  const calls: GateCall[] = [];
  const cloud = createAwsCloud({
    gate: recordingGate(calls, options.gate),
    clock,
    memberRole: info.memberRole,
    externalId: null,
    ...options.cloud,
  });
  const close = async () => {
    cloud.close();
    await running.close();
  };
  return { cloud, sandbox, clock, calls, endpoint: running.endpoint, close };
}

export const openGate: CallGate = { acquire: async () => undefined, report: () => undefined };

export interface WireRequest {
  readonly headers: IncomingHttpHeaders;
  /** `x-amz-target` without the service, or the query protocol's Action. */
  readonly operation: string;
  readonly body: string;
}

export type WireAnswer = (request: WireRequest, response: ServerResponse) => void;

/** A plain HTTP server in place of AWS, for tests of requests and answers on the wire. */
export async function wireServer(answer: WireAnswer): Promise<{ endpoint: string; requests: WireRequest[] }> {
  const requests: WireRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const target = incoming.headers['x-amz-target'];
      const operation =
        typeof target === 'string' ? (target.split('.')[1] ?? '') : (new URLSearchParams(body).get('Action') ?? '');
      const request = { headers: incoming.headers, operation, body };
      requests.push(request);
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not on a TCP port');
  return { endpoint: `http://127.0.0.1:${address.port}`, requests };
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'request-1' });
  response.end(text);
}

export const ACCOUNT = '111122223333';

/** Answers GetCallerIdentity, and AssumeRole with credentials that contain the account id of the member. */
function sts(request: WireRequest, response: ServerResponse, expiration = '2099-01-01T00:00:00Z'): void {
  const { operation, body } = request;
  const member = new URLSearchParams(body).get('RoleArn')?.split(':')[4];
  const inner =
    operation === 'AssumeRole'
      ? `<Credentials><AccessKeyId>ASIA${member}</AccessKeyId><SecretAccessKey>secret-of-${member}</SecretAccessKey><SessionToken>token-of-${member}</SessionToken><Expiration>${expiration}</Expiration></Credentials>`
      : `<UserId>u</UserId><Account>${ACCOUNT}</Account><Arn>arn:aws:iam::${ACCOUNT}:user/tester</Arn>`;
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.end(
    `<${operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${operation}Result>${inner}</${operation}Result><ResponseMetadata><RequestId>sts-1</RequestId></ResponseMetadata></${operation}Response>`,
  );
}

/** The adapter in front of a wire server that answers STS itself. */
export async function wireCloud(answer: WireAnswer, options: Partial<AwsCloudOptions> = {}) {
  const wire = await wireServer((request, response) => {
    const { operation } = request;
    if (operation === 'GetCallerIdentity' || operation === 'AssumeRole') sts(request, response);
    else answer(request, response);
  });
  return { ...cloudOn(wire.endpoint, options), ...wire };
}

export const OWN_KEY = 'AKIAOWNOWNOWNOWNOWN';
export const OWN_SECRET = 'own-secret-access-key';

/** The adapter with all services at one endpoint. */
export function cloudOn(
  endpoint: string,
  options: Partial<AwsCloudOptions> = {},
  settings: Readonly<Record<string, string>> = {},
) {
  const own = { AWS_ACCESS_KEY_ID: OWN_KEY, AWS_SECRET_ACCESS_KEY: OWN_SECRET };
  awsSettings({ AWS_ENDPOINT_URL: endpoint, ...own, ...settings });
  const clock = manualClock();
  const cloud = createAwsCloud({ gate: openGate, clock, memberRole: 'Role', externalId: null, ...options });
  onTestFinished(() => cloud.close());
  return { cloud, clock };
}
