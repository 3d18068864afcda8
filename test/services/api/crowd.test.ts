import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RATES } from '../../../services/api/app.ts';
import { PATIENCE } from '../../../services/api/node-door.ts';
import { PLACES } from '../../../services/api/security/places.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { readControls } from '../../../shared/app/guardrails/controls.ts';
import { account, chainOf } from '../../contract/samples.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { api, OPERATE, openSocket, READ, store, type TestApi, TOKENS, untilClosed } from './support.ts';

/*
 * One client against all others, over real sockets: whatever an unadmitted client does, an operator can connect and halt.
 */

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const CROSS_SITE = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

async function halts(own: TestApi, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  expect((await own.post('/api/halt', { reason: 'incident' }, headers)).json).toMatchObject({ halted: true });
  expect((await readControls(own.system.stores.registers)).halt).not.toBeNull();
}

const EVENTS = 'e'.repeat(40);
const ALL_TOKENS = { ...TOKENS, ROLLCALL_TOKEN_EVENTS: `bus=${EVENTS},other=${EVENTS.replaceAll('e', 'f')}` };

/** An admitted request that does not end, because its body never arrives. */
async function beginEvent(own: TestApi, token: string): Promise<Socket> {
  const socket = await openSocket(own);
  const head = ['Host: x', `Authorization: Bearer ${token}`, 'Content-Type: application/json', 'Content-Length: 99'];
  socket.write(`POST /api/events HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{`);
  return socket;
}

const firstLine = async (socket: Socket): Promise<string> => (await untilClosed(socket)).split('\r\n')[0] ?? '';

describe('connections', () => {
  test('more silent sockets than the server accepts do not keep other clients out', async () => {
    const own = await api({ env: TOKENS });
    for (let n = 0; n < 520; n += 1) await openSocket(own);
    expect((await own.send('/api/health')).status).toBe(200);
    await halts(own, as(OPERATE));
  });

  test('the connection that has been silent for longest is closed to admit another one', async () => {
    const own = await api({ env: TOKENS, places: { total: 3, perAddress: 3, reserve: 1, perClient: 3 } });
    const [first, second, third] = [await openSocket(own), await openSocket(own), await openSocket(own)];
    second.write('GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(second, 'data');
    const closed = once(first, 'close');
    await openSocket(own);
    await closed;
    expect([second.closed, third.closed]).toEqual([false, false]);
  });

  test('requests under way have a limit per client and in total, and halt has reserved places', async () => {
    const places = { total: 10, perAddress: 10, reserve: 3, perClient: 5 };
    const own = await api({ env: ALL_TOKENS, places, patience: { ...PATIENCE, keepAliveMs: 1 } });
    const [one, other] = [EVENTS, EVENTS.replaceAll('e', 'f')];
    // The last request of each is answered, so what was sent before it is under way by then.
    for (let n = 0; n < 5; n += 1) await beginEvent(own, one);
    expect(await firstLine(await beginEvent(own, one))).toBe('HTTP/1.1 503 Service Unavailable');
    for (let n = 0; n < 2; n += 1) await beginEvent(own, other);
    expect(await firstLine(await beginEvent(own, other))).toBe('HTTP/1.1 503 Service Unavailable');
    expect((await own.send('/api/status', { headers: as(OPERATE) })).json).toMatchObject({ status: 503, code: 'Busy' });
    for (let n = 0; n < 20; n += 1) await openSocket(own);
    await halts(own, as(OPERATE));
  });

  test('requests that have ended release their places', async () => {
    const places = { total: 4, perAddress: 4, reserve: 1, perClient: 1 };
    const own = await api({ env: TOKENS, places });
    const read = () => own.send('/api/status', { headers: as(READ) });
    for (let n = 0; n < 5; n += 1) expect((await read()).status).toBe(200);
  });

  test('the limit of one address does not affect the others', async () => {
    const own = await api({ env: TOKENS, places: { total: 10, perAddress: 2, reserve: 1, perClient: 9 } });
    const [first, second] = [await openSocket(own), await openSocket(own)];
    const closed = once(first, 'close');
    await openSocket(own);
    await closed;
    expect(second.closed).toBe(false);
  });
});

describe('time', () => {
  const SHORT = { ...PATIENCE, headersMs: 100, requestMs: 200, checkMs: 20 };

  test('silent connections and connections with unfinished headers or bodies are closed', async () => {
    const own = await api({ env: ALL_TOKENS, patience: SHORT });
    const silent = await openSocket(own);
    const slow = await openSocket(own);
    slow.write('GET /api/status HTTP/1.1\r\nHost: x\r\nX-');
    const unfinished = await beginEvent(own, EVENTS);
    const lines = await Promise.all([silent, slow, unfinished].map(firstLine));
    expect(lines).toEqual(lines.map(() => 'HTTP/1.1 408 Request Timeout'));
  });

  test('a client that disconnects before its body is complete is not logged as a failure', async () => {
    const own = await api({ env: ALL_TOKENS, patience: SHORT });
    await firstLine(await beginEvent(own, EVENTS));
    // The server has handled the disconnection when it answers this.
    await own.send('/api/health');
    expect(own.logged.map(({ message }) => message)).not.toContain('a request failed');
  });

  test('the time limits match the manual', () => {
    expect(PATIENCE).toMatchObject({ headersMs: 10_000, requestMs: 30_000 });
    expect(PATIENCE.checkMs).toBeLessThanOrEqual(1_000);
    const manual = readFileSync(new URL('../../../docs/explanation/security.md', import.meta.url), 'utf8');
    expect(manual).toMatch(/headers within 10 s.* whole within 30 s/s);
    expect(manual).toContain(`${PLACES.total} connections`);
  });

  test('an answer ends when its client stops reading', async () => {
    const own = await api({ patience: { ...PATIENCE, stalledMs: 50 } });
    const socket = await openSocket(own);
    // The clock of the test stands still, so the stream sends nothing after its beginning.
    socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${own.door.port}\r\n\r\n`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('admission', () => {
  test('a request without a valid token is refused before its body is read', { timeout: 10_000 }, async () => {
    const own = await api({ env: TOKENS });
    const socket = await openSocket(own);
    const head = ['Host: 127.0.0.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
    socket.write(`POST /api/halt HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n5\r\n{"rea`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 401 .*^connection: close\r$/ims);
  });

  test("a page of another site in the operator's browser uses up neither the operator's requests nor the halt", async () => {
    const own = await api();
    for (let n = 0; n < 300; n += 1) {
      expect([403, 429]).toContain((await own.send('/api/status', { headers: CROSS_SITE })).status);
      expect([403, 429]).toContain((await own.post('/api/halt', {}, CROSS_SITE)).status);
    }
    expect((await own.send('/api/status')).status).toBe(200);
    await halts(own);
  });
});

describe('rates', () => {
  const rates = { ...RATES, requests: { perSecond: 1, burst: 3 }, commands: { perSecond: 1, burst: 2 } };

  test('requests without a token and other commands do not use up the rate of halt', async () => {
    const own = await api({ env: TOKENS, rates });
    for (let n = 0; n < 5; n += 1) await own.send('/api/health');
    expect((await own.send('/api/health')).status).toBe(429);
    expect((await own.send('/api/status', { headers: as(READ) })).status).toBe(200);
    for (let n = 0; n < 5; n += 1) await own.post('/api/unhalt', {}, as(OPERATE));
    expect((await own.post('/api/unhalt', {}, as(OPERATE))).status).toBe(429);
    await halts(own, as(OPERATE));
  });

  test('only principals that may halt use up the rate of halt, and that rate has a limit', async () => {
    const own = await api({ env: TOKENS, rates: { ...RATES, urgent: { perSecond: 1, burst: 2 } } });
    for (let n = 0; n < 5; n += 1) expect((await own.post('/api/halt', {}, as(READ))).status).toBe(403);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await own.post('/api/halt', {}, as(OPERATE))).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('a form of an old browser, which sends no origin, is refused before it counts', async () => {
    const own = await api({ rates: { ...RATES, urgent: { perSecond: 1, burst: 2 } } });
    for (let n = 0; n < 5; n += 1) {
      const sent = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' };
      expect((await own.send('/api/halt', sent)).json).toMatchObject({ code: 'NotJson' });
    }
    await halts(own);
  });

  test('guessed tokens do not keep the right one from the same address out', async () => {
    const own = await api({ env: TOKENS });
    const codes = new Set<number>();
    for (let n = 0; n < 300; n += 1) codes.add((await own.send('/api/status', { headers: as('x'.repeat(40)) })).status);
    expect([...codes]).toEqual([401, 429]);
    await halts(own, as(OPERATE));
  });
});

describe('reads of everything', () => {
  /** A store whose reads of all accounts or of all drift end only at `release`. */
  async function slowStore() {
    const clock = manualClock();
    const whole = await store(clock);
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const ledger: EmbeddedStore['ledger'] = {
      ...whole.ledger,
      async *tails(until) {
        begun += 1;
        await gate.promise;
        yield* whole.ledger.tails(until);
      },
      async query(filter, page) {
        if (filter.type === 'DriftDetected') {
          begun += 1;
          await gate.promise;
        }
        return whole.ledger.query(filter, page);
      },
    };
    return { clock, store: { ...whole, ledger }, release: gate.resolve, begun: () => begun };
  }

  test('heavy reads are limited in total and per client, and other requests are still answered', async () => {
    const { clock, store: slow, release, begun } = await slowStore();
    const own = await api({ env: TOKENS, clock, store: slow });
    let hours = 0;
    const report = (token: string) => {
      // Reports that begin at the same time would share one read.
      hours += 1;
      return own.send(`/api/audit/report?since=${hours}h`, { headers: as(token) });
    };
    const first = Array.from({ length: 12 }, () => report(READ));
    while (begun() < 12) await nextTurn();
    const refused = await report(READ);
    expect(refused.json).toMatchObject({ status: 503, code: 'TooManyReads' });
    expect(refused.headers['retry-after']).toBe('2');
    const second = Array.from({ length: 4 }, () => report(OPERATE));
    while (begun() < 16) await nextTurn();
    expect((await report(OPERATE)).status).toBe(503);
    expect((await own.send('/api/health')).status).toBe(200);
    expect((await own.send('/api/status', { headers: as(READ) })).status).toBe(200);
    await halts(own, as(OPERATE));
    release();
    for (const each of [...first, ...second]) expect((await each).status).toBe(200);
    expect((await report(READ)).status).toBe(200);
  });

  test('the drift of one caller, for which the log has no index, is a heavy read', async () => {
    const { clock, store: slow, release, begun } = await slowStore();
    const own = await api({ env: TOKENS, clock, store: slow });
    const caused = () => own.send('/api/audit?changedBy=anna', { headers: as(READ) });
    const first = Array.from({ length: 12 }, caused);
    while (begun() < 12) await nextTurn();
    expect((await caused()).json).toMatchObject({ status: 503, code: 'TooManyReads' });
    release();
    for (const each of first) expect((await each).status).toBe(200);
    expect((await own.send('/api/audit', { headers: as(READ) })).status).toBe(200);
  });

  test('an export keeps its place until it is read or its reader disconnects', async () => {
    const own = await api({ env: TOKENS });
    const chain = chainOf(account(1), 20_000);
    await own.system.stores.ledger.append(chain);
    const exports: Socket[] = [];
    for (let n = 0; n < 12; n += 1) {
      const socket = await openSocket(own);
      socket.write(`GET /api/audit/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${READ}\r\n\r\n`);
      await once(socket, 'readable');
      exports.push(socket);
    }
    const status = async () => (await own.send('/api/audit/export?type=ChainPruned', { headers: as(READ) })).status;
    expect(await status()).toBe(503);
    exports[0]?.destroy();
    while ((await status()) === 503) await nextTurn();
    expect(await status()).toBe(200);
  });
});

describe('event streams', () => {
  test('one client cannot take all places', async () => {
    const own = await api({ env: TOKENS });
    const streams: Socket[] = [];
    for (let n = 0; n < 60; n += 1) {
      const socket = await openSocket(own);
      socket.write(`GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${READ}\r\n\r\n`);
      await once(socket, 'data');
      streams.push(socket);
    }
    // A limit that is reached is not a fault.
    const logged = own.logged.map(({ message, fields }) => [message, fields?.['code']]);
    expect(new Set(logged.map(String))).toEqual(new Set(['a request was refused,TooManyReaders']));
    const operator = await openSocket(own);
    operator.write(`GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OPERATE}\r\n\r\n`);
    const [first]: Buffer[] = await once(operator, 'data');
    expect(first?.toString()).toMatch(/^HTTP\/1\.1 200 /);
    await halts(own, as(OPERATE));
  });
});
