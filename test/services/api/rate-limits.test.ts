import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { api, documented, OPERATE, READ, TOKENS } from './support.ts';
import { as, untouched } from './untouched.ts';

describe('limits', () => {
  test('the request rate of a client is limited, and guessing tokens is slower still', async () => {
    const rates = {
      requests: { perSecond: 1, burst: 5 },
      commands: { perSecond: 1, burst: 2 },
      urgent: { perSecond: 1, burst: 2 },
      refusals: { perSecond: 0.1, burst: 2 },
    };
    const clock = manualClock();
    const own = await api({ env: TOKENS, rates, clock });
    const guess = () => own.send('/api/whoami', { headers: as('x'.repeat(40)) });
    expect([(await guess()).status, (await guess()).status]).toEqual([401, 401]);
    const third = await guess();
    expect(third.json).toMatchObject({ status: 429, code: 'TooManyRequests' });
    expect(third.headers['retry-after']).toBe('10');
    await clock.advance(5_000);
    const statuses = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await own.send('/api/whoami', { headers: as(READ) })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    await clock.advance(5_000);
    const commands = [];
    for (let n = 0; n < 3; n += 1) commands.push((await own.post('/api/unhalt', {}, as(OPERATE))).status);
    expect(commands).toEqual([200, 200, 429]);
  });

  test('bodies, addresses and pages have limits', async () => {
    const own = await api();
    const large = await own.post('/api/suspend', { selector: 'x'.repeat(70_000) });
    expect(large.json).toMatchObject({ status: 413, code: 'BodyTooLarge' });
    const chunked = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      body: `"${'x'.repeat(70_000)}"`,
    };
    expect((await own.send('/api/halt', chunked)).status).toBe(413);
    expect((await own.send(`/api/accounts?text=${'x'.repeat(9_000)}`)).json).toMatchObject({ status: 414 });
    expect((await own.send(`/api/accounts?text=${'x'.repeat(201)}`)).json).toMatchObject({ status: 400 });
    for (const path of ['/api/audit?limit=1001', '/api/accounts?limit=10001']) {
      const { json } = await own.send(path);
      expect(json, path).toMatchObject({ status: 400, errors: [{ where: 'query.limit' }] });
    }
    expect((await own.send(`/api/status`, { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
    await untouched(own);
  });

  test('a malformed request gets an error, and the server keeps running', async () => {
    const own = await api();
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(own.door.port, '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.on('data', (part) => {
          answer += part.toString();
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(answer));
      });
    const host = `Host: 127.0.0.1:${own.door.port}\r\nConnection: close\r\n\r\n`;
    expect(await raw('nonsense\r\n\r\n')).toContain(' 400 ');
    expect(await raw(`GET http://evil.example/api/status HTTP/1.1\r\n${host}`)).toContain(' 400 ');
    const trace = await raw(`TRACE /api/status HTTP/1.1\r\n${host}`);
    expect(trace).toContain(' 400 ');
    expect(trace).toContain("content-security-policy: default-src 'none'");
    expect(await raw(`GET //evil.example/api/status HTTP/1.1\r\n${host}`)).toContain(' 404 ');
    expect(await raw(`GET /api/../../etc/passwd HTTP/1.1\r\n${host}`)).toContain(' 404 ');
    // Refused before its body has arrived: the connection cannot take another request, so the answer announces its end.
    const announced = `Host: 127.0.0.1:${own.door.port}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`;
    const refused = await raw(`POST /api/halt HTTP/1.1\r\n${announced}`);
    expect(refused).toMatch(/^HTTP\/1\.1 413 .*^connection: close\r$/ims);
    expect((await own.send('/api/health')).status).toBe(200);
    expect(documented(SCHEMAS.Problem, (await own.send('/api/nothing')).json).code).toBe('NotFound');
  });
});
