import { createHash } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAwsCloud } from '../../../shared/adapters/aws/cloud/cloud.ts';
import { createAwsInspection } from '../../../shared/adapters/aws/cloud/inspection.ts';
import { ownArn } from '../../../shared/adapters/aws/cloud/own-arn.ts';
import { inspectAws } from '../../../shared/adapters/aws/doctor.ts';
import { openEventBridge } from '../../../shared/adapters/aws/eventbridge/bus.ts';
import { eventBridgeScanRequests } from '../../../shared/adapters/aws/eventbridge/scan-requests.ts';
import { kmsSigner } from '../../../shared/adapters/aws/kms/checkpoint-signer.ts';
import { policySource } from '../../../shared/adapters/aws/lambda/policy-source.ts';
import { s3Archive } from '../../../shared/adapters/aws/s3/checkpoint-archive.ts';
import { openAwsStores } from '../../../shared/adapters/aws/store.ts';
import { agentsFor } from '../../../shared/adapters/http-agents.ts';
import { httpWebhook } from '../../../shared/adapters/system/webhook.ts';
import { readNetworkEnv } from '../../../shared/config/network-env.ts';
import { type Network, noProxyForNode, shownProxy } from '../../../shared/domain/network.ts';
import { Secret } from '../../../shared/domain/policy/file/secret.ts';
import { chainOf } from '../../contract/samples.ts';
import { connectProxy } from '../../support/connect-proxy.ts';
import { HOST } from '../../support/host.ts';
import { webhookReceiver } from '../../support/webhook-receiver.ts';
import { timeScale, worldClock } from '../../support/world-clock.ts';

const common = { clock: worldClock(timeScale(10_000)), random: () => 0.5 };
const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const gate = { acquire: async () => undefined, report: silent };
const QUEUE = 'https://sqs.eu-north-1.amazonaws.com/111122223333/rollcall';

/** A request of each client, and the host that it must reach. */
const CLIENTS: readonly [string, string, (network: Network) => Promise<unknown>][] = [
  ['STS', 'sts.eu-north-1.amazonaws.com', (network) => ownArn(network)],
  ['Cloud', 'sts.eu-north-1.amazonaws.com', (network) => createAwsCloud(cloud(network)).identify()],
  [
    'Inspection',
    'sts.eu-north-1.amazonaws.com',
    (network) => createAwsInspection({ ...cloud(network), timeouts: { connectMs: 2_000, requestMs: 2_000 } }).caller(),
  ],
  ['DynamoDB', 'dynamodb.eu-north-1.amazonaws.com', async (network) => (await stores(network)).registers.read('x')],
  ['SQS', 'sqs.eu-north-1.amazonaws.com', async (network) => (await stores(network)).queue.depth()],
  [
    'EventBridge',
    'events.eu-north-1.amazonaws.com',
    (network) => openEventBridge({ bus: 'b', ...common, network }).publish(chainOf('organization', 1)),
  ],
  [
    'EventBridge for scans',
    'events.eu-north-1.amazonaws.com',
    (network) => eventBridgeScanRequests('b', { ...common, network }).send({ runId: 'r' }),
  ],
  [
    'S3',
    'policies.s3.eu-north-1.amazonaws.com',
    (network) => policySource({ kind: 's3', bucket: 'policies', key: 'a' }, '/', { ...common, network }).read(null),
  ],
  [
    'SSM',
    'ssm.eu-north-1.amazonaws.com',
    (network) => policySource({ kind: 'ssm', name: 'a' }, '/', { ...common, network }).read(null),
  ],
  ['KMS', 'kms.eu-north-1.amazonaws.com', (network) => kmsSigner({ keyId: 'k', ...common, network }).open()],
  [
    'S3 archive',
    'checkpoints.s3.eu-north-1.amazonaws.com',
    (network) => s3Archive({ bucket: 'checkpoints', prefix: '', owner: null, ...common, network }).newest('o'),
  ],
  ['doctor: table', 'dynamodb.eu-north-1.amazonaws.com', (network) => inspect(network).table()],
  ['doctor: queue', 'sqs.eu-north-1.amazonaws.com', (network) => inspect(network).queue()],
  ['doctor: bus', 'events.eu-north-1.amazonaws.com', (network) => inspect(network).bus()],
];

const cloud = (network: Network) => ({ gate, clock: common.clock, memberRole: 'R', externalId: null, logger, network });
const stores = (network: Network) =>
  openAwsStores({
    ...HOST,
    table: 't-1',
    queueUrl: QUEUE,
    dlqUrl: `${QUEUE}-dead`,
    newId: () => '1',
    check: false,
    ...common,
    network,
  });
const inspect = (network: Network) =>
  inspectAws({ ...HOST, table: 't-1', queueUrl: QUEUE, dlqUrl: `${QUEUE}-dead`, bus: 'b', network });

/** Clears the settings of the machine and sets credentials. */
function bareEnvironment(more: Readonly<Record<string, string>> = {}): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  const none = { AWS_CONFIG_FILE: '/none', AWS_SHARED_CREDENTIALS_FILE: '/none', AWS_EC2_METADATA_DISABLED: 'true' };
  for (const [name, value] of Object.entries({ ...none, ...more })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('every client of AWS', () => {
  it.each(CLIENTS)('%s goes through the proxy, in the Region of AWS_DEFAULT_REGION', async (_name, host, ask) => {
    bareEnvironment({ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' });
    const proxy = await connectProxy(true);
    const network = readNetworkEnv({ HTTPS_PROXY: proxy.url, AWS_DEFAULT_REGION: 'eu-north-1' });
    await ask(network).catch(() => undefined);
    expect(proxy.seen[0]).toBe(`CONNECT ${host}:443`);
  });

  it('creates its connections in one place', () => {
    const root = resolve(import.meta.dirname, '../../..');
    const makers = globSync('{shared,services}/**/*.ts', { cwd: root })
      .map((file) => [file, readFileSync(join(root, file), 'utf8')] as const)
      .filter(([, text]) => /new (?!OrganizationsClient|ComputeOptimizerAutomationClient)\w+Client\(/.test(text));
    expect(makers.length).toBeGreaterThan(5);
    for (const [file, text] of makers) expect(text, file).toMatch(/clientSettings\(|agentsFor\(/);
    const sockets = globSync('shared/**/*.ts', { cwd: root }).filter((file) =>
      /new (Secure)?Agent\(|new NodeHttpHandler\(/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(sockets.sort()).toEqual([
      'shared/adapters/aws/client-settings.ts',
      'shared/adapters/aws/cloud/clients.ts',
      'shared/adapters/http-agents.ts',
    ]);
  });

  it('finds the credentials of single sign-on through the proxy', async () => {
    const home = mkdtempSync(join(tmpdir(), 'rollcall-sso-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const startUrl = 'https://example.awsapps.com/start';
    mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
    const token = { accessToken: 't', expiresAt: '2099-01-01T00:00:00Z', startUrl, region: 'eu-west-1' };
    const file = `${createHash('sha1').update(startUrl).digest('hex')}.json`;
    writeFileSync(join(home, '.aws/sso/cache', file), JSON.stringify(token));
    const profile = `[profile p]\nsso_start_url=${startUrl}\nsso_region=eu-west-1\nsso_account_id=111122223333\nsso_role_name=R\n`;
    writeFileSync(join(home, 'config'), profile);
    bareEnvironment({ HOME: home, AWS_CONFIG_FILE: join(home, 'config'), AWS_PROFILE: 'p' });
    const proxy = await connectProxy(true);
    const network = readNetworkEnv({ HTTPS_PROXY: proxy.url, AWS_DEFAULT_REGION: 'eu-north-1' });
    await createAwsCloud(cloud(network))
      .identify()
      .catch(() => undefined);
    expect(proxy.seen[0]).toBe('CONNECT portal.sso.eu-west-1.amazonaws.com:443');
  });
});

describe('the webhook', () => {
  const clock = { now: () => 1_793_610_000_123 };
  const body = JSON.stringify({
    text: 'hello',
    rollcall: { delivery: 'd-1', counts: {}, entries: [], total: 0, since: '', until: '' },
  });

  it('goes through the proxy by http, by https, and directly to hosts in NO_PROXY', async () => {
    const [receiver, proxy] = await Promise.all([webhookReceiver(), connectProxy()]);
    const post = (url: string, env: Readonly<Record<string, string>>) =>
      httpWebhook({ url: new Secret(url), secret: null, clock, network: readNetworkEnv(env) }).post('d-1', body);
    const { port } = new URL(receiver.url);
    expect(await post(receiver.url, { HTTP_PROXY: proxy.url })).toEqual({ ok: true });
    expect(proxy.seen).toEqual([`POST ${receiver.url}`]);
    const past = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
    expect(await post(receiver.url, past)).toEqual({ ok: true });
    expect(proxy.seen).toHaveLength(1);
    // The server does not support TLS; the test checks only that the proxy received a CONNECT.
    expect(await post(`https://hooks.invalid:${port}/x`, { HTTPS_PROXY: proxy.url })).toMatchObject({ ok: false });
    expect(proxy.seen[1]).toBe(`CONNECT hooks.invalid:${port}`);
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['example.com', 'example.com,.example.com'],
    [' .example.com,*.intern  localhost', '.example.com,*.intern,localhost,.localhost'],
    ['10.0.0.0/8,192.168.1.7/24,127.0.0.1', '10.0.0.0-10.255.255.255,192.168.1.0-192.168.1.255,127.0.0.1'],
    ['169.254.169.254/32,0.0.0.0/0', '169.254.169.254-169.254.169.254,0.0.0.0-255.255.255.255'],
    ['*', '*'],
    ['::1, fd00::1', '::1,fd00::1'],
    ['', ''],
  ])('%s', (text, expected) => {
    expect(noProxyForNode(text)).toBe(expected);
  });
});

describe('network settings', () => {
  it('prefer lower case, accept a proxy without a scheme, and treat an empty variable as unset', () => {
    const network = readNetworkEnv({ https_proxy: 'proxy.example:3128', HTTPS_PROXY: 'http://other', HTTP_PROXY: '' });
    expect(network).toEqual({ proxy: { HTTPS_PROXY: 'http://proxy.example:3128/' }, ca: null, region: null });
    expect(readNetworkEnv({ NO_PROXY: 'x' })).toEqual({ proxy: null, ca: null, region: null });
  });

  it('use AWS_DEFAULT_REGION only if AWS_REGION is unset', () => {
    expect(readNetworkEnv({ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-north-1' }).region).toBeNull();
    expect(readNetworkEnv({ AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-north-1' }).region).toBe('eu-north-1');
  });

  it('reject a proxy on a Node version without proxy support', () => {
    expect(() => readNetworkEnv({ HTTP_PROXY: 'http://p' }, '24.4.1')).toThrow(/needs Node.js 24.5/);
    expect(readNetworkEnv({ HTTP_PROXY: 'http://p' }, '24.5.0').proxy).not.toBeNull();
  });

  it('never show a password', () => {
    expect(shownProxy('http://user:pass@proxy.example:3128')).toBe('http://***@proxy.example:3128');
    expect(shownProxy('http://proxy.example:3128')).toBe('http://proxy.example:3128');
  });

  it('leave connections unchanged without a proxy', () => {
    const { httpAgent, httpsAgent } = agentsFor(
      { proxy: null, ca: null, region: null },
      { keepAlive: true, maxSockets: 7 },
    );
    expect([httpAgent.maxSockets, httpsAgent.options.ca]).toEqual([7, undefined]);
  });
});
