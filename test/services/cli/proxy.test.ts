import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useSandboxOnly } from '../../../shared/config/aws-environment.ts';
import { connectProxy, PROXY_SECRET } from '../../support/connect-proxy.ts';
import { portOf } from '../../support/local-server.ts';
import { doctorShape, planShape } from './shapes.ts';
import { ENROLL, expectNoStack, json, place, rollcall, world } from './support.ts';

const TLS = resolve(import.meta.dirname, '../../support/tls');
const CA = join(TLS, 'cert.pem');

/** The sandbox behind TLS, as `https://aws.invalid:PORT`, a name that only the proxy resolves. */
async function secured(endpoint: string): Promise<string> {
  const { port: behind } = new URL(endpoint);
  const keys = { key: readFileSync(join(TLS, 'key.pem')), cert: readFileSync(CA) };
  const server = createSecureServer(keys, (incoming, response) => {
    const { method, url: path, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port: behind, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  });
  return `https://aws.invalid:${await portOf(server)}`;
}

async function setUp() {
  const there = await world();
  const { AWS_REGION: _unused, ...env } = there.env;
  const proxy = await connectProxy();
  const plain = `http://aws.invalid:${new URL(there.running.endpoint).port}`;
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const region = { AWS_DEFAULT_REGION: 'eu-west-1' };
  return { cwd, proxy, plain, tls: await secured(there.running.endpoint), env: { ...env, ...region } };
}

describe('AWS behind a proxy', () => {
  test.each(['HTTPS_PROXY', 'https_proxy'])('%s: all calls use CONNECT, with AWS_CA_BUNDLE', async (name) => {
    const { cwd, proxy, tls, env } = await setUp();
    const through = { ...env, AWS_ENDPOINT_URL: tls, [name]: proxy.url, AWS_CA_BUNDLE: CA };
    const result = await rollcall(['plan', '--json'], { cwd, env: through });
    expect(planShape.parse(json(result)).coverage.evaluated).toBeGreaterThan(0);
    expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${new URL(tls).host}`]));
    expect(new Set(proxy.credentials)).toEqual(new Set([`user:${PROXY_SECRET}`]));
  });

  test.each(['HTTP_PROXY', 'http_proxy'])('%s: all requests have absolute URLs', async (name) => {
    const { cwd, proxy, plain, env } = await setUp();
    const result = await rollcall(['plan', '--json'], {
      cwd,
      env: { ...env, AWS_ENDPOINT_URL: plain, [name]: proxy.url },
    });
    expect(planShape.parse(json(result)).coverage.evaluated).toBeGreaterThan(0);
    expect(proxy.seen.length).toBeGreaterThan(3);
    for (const line of proxy.seen) expect(line).toMatch(/^(POST|GET) http:\/\/aws\.invalid:\d+\//);
  });

  test('NO_PROXY: calls are direct', async () => {
    const { cwd, proxy, env } = await setUp();
    const through = { ...env, HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: 'example.com, 127.0.0.0/8' };
    expect((await rollcall(['plan', '--json'], { cwd, env: through })).code).toBe(2);
    expect(proxy.seen).toEqual([]);
  });

  test('a certificate authority that is not in AWS_CA_BUNDLE is not trusted, and the message names the variable', async () => {
    const { cwd, proxy, tls, env } = await setUp();
    const result = await rollcall(['plan'], { cwd, env: { ...env, AWS_ENDPOINT_URL: tls, HTTPS_PROXY: proxy.url } });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('AWS_CA_BUNDLE');
    expectNoStack(result);
  });

  test('the error of a proxy that refuses names it, without its password', async () => {
    const { cwd, tls, env } = await setUp();
    const { url } = await connectProxy(true);
    const result = await rollcall(['plan', '--verbose'], {
      cwd,
      env: { ...env, AWS_ENDPOINT_URL: tls, HTTPS_PROXY: url },
    });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('HTTPS_PROXY');
    expect(`${result.stdout}${result.stderr}`).not.toContain(PROXY_SECRET);
  });

  test('doctor shows proxies without their passwords, the bundle and the source of the Region', async () => {
    const { cwd, proxy, tls, env } = await setUp();
    const through = {
      ...env,
      AWS_ENDPOINT_URL: tls,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: 'intern.example',
      AWS_CA_BUNDLE: CA,
    };
    const result = await rollcall(['doctor', '--json'], { cwd, env: through });
    const { checks } = doctorShape.parse(json(result));
    expect(checks.find(({ check }) => check === 'network')).toMatchObject({
      status: 'pass',
      message: `https through http://***@127.0.0.1:${proxy.port}, http directly, except to intern.example,.intern.example; the certificates of AWS_CA_BUNDLE are trusted; AWS_DEFAULT_REGION sets the Region eu-west-1`,
    });
    expect(checks.find(({ check }) => check === 'region')).toMatchObject({ status: 'pass', message: 'eu-west-1' });
    expect(result.stdout).not.toContain(PROXY_SECRET);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['HTTPS_PROXY', { HTTPS_PROXY: `socks5://user:${PROXY_SECRET}@127.0.0.1:1` }],
    ['http_proxy', { http_proxy: `http://user:${PROXY_SECRET}@` }],
    ['AWS_CA_BUNDLE', { AWS_CA_BUNDLE: 'rollcall.yaml' }],
    ['gone.pem', { AWS_CA_BUNDLE: 'gone.pem' }],
  ])('%s that cannot be used is refused by name, and a finding of doctor', async (name, changed) => {
    const { cwd, env } = await setUp();
    const [plan, doctor] = await Promise.all([
      rollcall(['plan'], { cwd, env: { ...env, ...changed } }),
      rollcall(['doctor', '--json'], { cwd, env: { ...env, ...changed } }),
    ]);
    expect(plan.code).toBe(1);
    expect(plan.stderr).toContain(name);
    const found = doctorShape.parse(json(doctor)).checks.find(({ check }) => check === 'network');
    expect(found).toMatchObject({ status: 'fail' });
    expect(found?.message).toContain(name);
    expect(`${plan.stderr}${doctor.stdout}`).not.toContain(PROXY_SECRET);
  });

  test('the demo uses no proxy, because its simulated AWS is on this machine', () => {
    const env: Record<string, string | undefined> = {
      HTTPS_PROXY: 'http://p',
      http_proxy: 'http://p',
      no_proxy: 'x',
      HOME: '/',
    };
    useSandboxOnly(env, { endpoint: 'http://x', accountId: '1', nowhere: '/n' });
    expect(Object.keys(env).filter((name) => /proxy/i.test(name))).toEqual([]);
    expect(env['HOME']).toBe('/');
  });
});
