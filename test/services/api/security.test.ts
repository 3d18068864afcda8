import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../../services/api/routes.ts';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { readApiTokens } from '../../../shared/config/api-env.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { api, OPERATE, READ, TOKENS } from './support.ts';
import { as, untouched } from './untouched.ts';

describe('headers', () => {
  const EXPECTED = {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
  const page = { body: Buffer.from('<p>'), type: 'text/html; charset=utf-8', etag: '"a"' };

  test('every answer has the security headers, data is never cached, and no other origin is allowed', async () => {
    const own = await api({ pages: async () => new Map([['/', page]]) });
    const answers = [
      await own.send('/api/status'),
      await own.send('/api/nothing'),
      await own.send('/api/audit?limit=9999'),
      await own.send('/api/status', { method: 'DELETE' }),
      await own.send('/api/status', { headers: { host: 'evil.example' } }),
      await own.send('/openapi.json'),
      await own.send('/'),
      await own.send('/api/events', { method: 'HEAD' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 405, 421, 200, 200, 200]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject(EXPECTED);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers['x-powered-by']).toBeUndefined();
    }
    const caching = answers.map(({ headers }) => headers['cache-control']);
    expect(caching).toEqual([...caching.slice(0, 6).map(() => 'no-store'), 'no-cache', 'no-store']);
  });
});

describe('on loopback, without a token', () => {
  test('only loopback names are served: a rebound name reads and changes nothing', async () => {
    const own = await api();
    const { port } = own.door;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect((await own.send('/api/status', { headers: { host } })).status, host).toBe(200);
    }
    const foreign = [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1:${port + 1}`,
      '127.0.0.1',
      `localhost.evil.example:${port}`,
      `127.0.0.1.:${port}`,
      '',
    ];
    for (const host of foreign) {
      expect((await own.send('/api/status', { headers: { host } })).status, host).toBe(421);
      const rebound = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      expect((await own.post('/api/halt', {}, rebound)).status, host).toBe(421);
    }
    await untouched(own);
  });

  test('a page of another site reads and changes nothing with any request that a browser permits', async () => {
    const own = await api();
    const { port } = own.door;
    const foreign: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${port + 1}` },
      { origin: `http://evil.example:${port}` },
      // A link may lead to the dashboard, not to the API.
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ];
    for (const headers of foreign) {
      expect((await own.send('/api/status', { headers })).json, JSON.stringify(headers)).toMatchObject({
        status: 403,
        code: 'CrossSite',
      });
      expect((await own.post('/api/halt', {}, headers)).status, JSON.stringify(headers)).toBe(403);
    }
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    expect((await own.send('/api/halt', { method: 'OPTIONS', headers: preflight })).status).toBe(403);
    await untouched(own);
  });

  test('a form that an old browser sends without an origin is not JSON, so it is refused', async () => {
    const own = await api();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      expect((await own.send('/api/halt', { method: 'POST', headers, body: '{}' })).json, type).toMatchObject({
        status: 415,
        code: 'NotJson',
      });
    }
    await untouched(own);
  });

  test('its own pages, tools and links to the dashboard are admitted', async () => {
    const own = await api({
      pages: async () => new Map([['/', { body: Buffer.from('<p>'), type: 'text/html', etag: '"a"' }]]),
    });
    const origin = `http://127.0.0.1:${own.door.port}`;
    expect((await own.post('/api/halt', {}, { origin, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    const linked = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await own.send('/accounts', { headers: linked })).status).toBe(200);
    expect(
      (await own.send('/', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } })).status,
    ).toBe(403);
    expect(await own.get('/api/whoami', SCHEMAS.WhoAmI)).toMatchObject({ actor: 'user:test', role: 'operate' });
  });
});

describe('tokens', () => {
  test('every endpoint of the API needs a token on every address; the page and the OpenAPI document do not', async () => {
    const clock = manualClock();
    const own = await api({ env: TOKENS, host: '0.0.0.0', clock });
    for (const { method, path } of ROUTES) {
      const answer = await own.send(path.replaceAll(/\{\w+\}/g, '111122223333'), { method: method.toUpperCase() });
      expect(answer.json, path).toMatchObject({ status: 401, code: 'TokenMissing' });
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="rollcall"');
      await clock.advance(5_000);
    }
    expect((await own.send('/openapi.json')).status).toBe(200);
    expect((await own.send('/api/health')).status).toBe(200);
    await untouched(own);
  });

  test('a read token cannot operate; the ledger has the name of the token, and no answer or log line has the token itself', async () => {
    const own = await api({ env: TOKENS });
    expect((await own.send('/api/whoami', { headers: as(READ) })).json).toMatchObject({
      actor: 'token:read',
      role: 'read',
    });
    // Verifying the audit log changes nothing, and an auditor has only a read token.
    const operating = ROUTES.filter(({ method, path }) => method === 'post' && path !== '/api/audit/verify');
    for (const { path } of operating) {
      expect((await own.post(path, {}, as(READ))).json, path).toMatchObject({ status: 403, code: 'ReadOnly' });
    }
    await untouched(own);
    expect((await own.post('/api/halt', { reason: 'incident 7' }, as(OPERATE))).json).toMatchObject({
      by: 'token:anna',
    });
    const audit = await own.send('/api/audit?type=EnforcementHalted', { headers: as(READ) });
    expect(audit.json).toMatchObject({ entries: [{ actor: 'token:anna' }] });
    expect(`${audit.text}${JSON.stringify(own.logged)}`).not.toContain(OPERATE);
  });

  test('an events token may only send events; operators may send them too, readers may not', async () => {
    const EVENTS = 'e'.repeat(40);
    const reader = () => async () => expect.fail('nothing is to be read');
    const own = await api({ env: { ...TOKENS, ROLLCALL_TOKEN_EVENTS: `bus@2099-01-31=${EVENTS}` }, reader });
    const others = ROUTES.filter(({ method, path }) => method !== 'post' || path !== '/api/events');
    expect(others).toHaveLength(ROUTES.length - 1);
    for (const { method, path } of others) {
      const url = path.replaceAll(/\{\w+\}/g, '111122223333');
      const refused = method === 'post' ? own.post(url, {}, as(EVENTS)) : own.send(url, { headers: as(EVENTS) });
      expect((await refused).json, path).toMatchObject({
        ...{ status: 403, code: 'EventsOnly' },
        detail: 'token:bus may only send events with POST /api/events.',
      });
    }
    await untouched(own);
    const handOver = (token: string) => own.post('/api/events', { detail: 'x' }, as(token));
    for (const token of [EVENTS, OPERATE]) {
      expect((await handOver(token)).json).toMatchObject({ rejected: expect.any(String) });
    }
    expect((await handOver(READ)).json).toMatchObject({ status: 403, code: 'ReadOnly' });
  });

  test.each([
    ['an unknown one', as('x'.repeat(40)), 'TokenUnknown'],
    ['part of one', as(OPERATE.slice(1)), 'TokenUnknown'],
    ['one too many characters', as(`${OPERATE}o`), 'TokenUnknown'],
    ['another scheme', { authorization: `Basic ${OPERATE}` }, 'TokenMissing'],
    ['in the query', {}, 'TokenMissing'],
  ])('%s is refused', async (_what, headers, code) => {
    const own = await api({ env: TOKENS });
    const answer = await own.send(`/api/whoami?token=${OPERATE}`, { headers });
    expect(answer.json).toMatchObject({ status: 401, code });
  });

  test('a token is valid until the end of its last day, and an expired one is refused as expired', async () => {
    const clock = manualClock(Date.parse('2026-03-31T23:59:59Z'));
    const own = await api({ env: { ROLLCALL_TOKEN_READ: `ben@2026-03-31=${READ}` }, clock });
    expect((await own.send('/api/whoami', { headers: as(READ) })).json).toMatchObject({ actor: 'token:ben' });
    await clock.advance(1_000);
    const late = await own.send('/api/whoami', { headers: as(READ) });
    expect(late.json).toMatchObject({ status: 401, code: 'TokenExpired' });
    expect(late.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  test.each([
    ['too short', { ROLLCALL_TOKEN_READ: 'short' }, 'ROLLCALL_TOKEN_READ, token 1: it has 5 characters'],
    ['a day that does not exist', { ROLLCALL_TOKEN_READ: `a@2026-02-30=${READ}` }, 'its last day is not a date'],
    ['with a blank in it', { ROLLCALL_TOKEN_OPERATE: `x=${OPERATE} ${OPERATE}` }, 'character'],
    ['too short, of events', { ROLLCALL_TOKEN_EVENTS: 'short' }, 'ROLLCALL_TOKEN_EVENTS, token 1: it has 5 characters'],
    ['twice the same', { ROLLCALL_TOKEN_READ: READ, ROLLCALL_TOKEN_OPERATE: READ }, 'are the same'],
  ])(
    'an invalid token in the environment (%s) is refused by its position, without its value',
    (_what, env, message) => {
      const read = () => readApiTokens(env);
      expect(read).toThrow(message);
      expect(read).not.toThrow(READ);
    },
  );

  test('without a token, only loopback addresses are bound', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
      await expect(api({ host })).rejects.toThrow('ROLLCALL_TOKEN_OPERATE');
    }
  });
});
