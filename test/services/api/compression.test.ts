import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { account, facts, range, record } from '../../contract/samples.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { api, documented, openSocket, store } from './support.ts';

const ACCOUNTS = 1_200;
const LIST = '/api/accounts?limit=10000';

async function served() {
  const clock = manualClock();
  const own = await store(clock);
  const meta = { organizationId: 'o-1', managementAccountId: account(0), takenAt: clock.now(), tags: false };
  await own.snapshots.save({ ...meta, accounts: range(ACCOUNTS).map((n) => facts(n)) });
  await own.records.advance(range(ACCOUNTS).map((n) => record(account(n), 1)));
  return { ...(await api({ clock, store: own })), records: own.records };
}

const accepting = (encoding: string) => ({ headers: { 'accept-encoding': encoding } });

describe('a long answer', () => {
  test('has every account, and is compressed as the client accepts it', async () => {
    const { send } = await served();
    const plain = await send(LIST);
    const answer = documented(SCHEMAS.Accounts, plain.json);
    expect(answer).toMatchObject({ next: null, total: ACCOUNTS, all: ACCOUNTS, facets: null });
    expect(answer.accounts.map(({ accountId }) => accountId)).toEqual(range(ACCOUNTS).map(account));
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.headers.vary).toBe('Accept-Encoding');
    const cases = [
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['gzip;q=1.0, br;q=0', 'gzip', gunzipSync],
      ['GZIP', 'gzip', gunzipSync],
    ] as const;
    for (const [accepted, encoding, inflate] of cases) {
      const { headers, bytes } = await send(LIST, accepting(accepted));
      expect(headers['content-encoding'], accepted).toBe(encoding);
      expect(headers.vary).toBe('Accept-Encoding');
      expect(bytes.length).toBeLessThan(plain.bytes.length / 10);
      expect(inflate(bytes).equals(plain.bytes)).toBe(true);
    }
    for (const accepted of ['identity', 'zstd', 'gzip;q=0', '']) {
      const { headers, bytes } = await send(LIST, accepting(accepted));
      expect(headers, accepted).not.toHaveProperty('content-encoding');
      expect(bytes.equals(plain.bytes)).toBe(true);
    }
  });

  test('is not sent again to a client that has it, until an account changes', async () => {
    const { send, records } = await served();
    const first = await send(LIST, accepting('br'));
    const { etag = '' } = first.headers;
    expect(etag).toMatch(/^W\/"[\w.]+"$/);
    const known = { headers: { 'accept-encoding': 'br', 'if-none-match': etag } };
    const again = await send(LIST, known);
    expect(again).toMatchObject({ status: 304, text: '' });
    expect(again.headers).toMatchObject({ etag, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    await records.advance([record(account(3), 2, { verdict: 'Drifted' })]);
    const changed = await send(LIST, known);
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
    expect(brotliDecompressSync(changed.bytes).toString()).toContain('"complianceStatus":"Drifted"');
  });

  test('is not sent to a HEAD request, and a client that disconnects midway does no harm', async () => {
    const own = await served();
    const { status, bytes } = await own.send(LIST, { method: 'HEAD', ...accepting('br') });
    expect([status, bytes.length]).toEqual([200, 0]);
    const socket = await openSocket(own);
    socket.write(`GET ${LIST} HTTP/1.1\r\nHost: 127.0.0.1:${own.door.port}\r\nAccept-Encoding: br\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect((await own.send(LIST)).status).toBe(200);
    expect(own.logged).toEqual([]);
  });
});

describe('answers that are not compressed', () => {
  test('short ones, errors, and event streams', async () => {
    const own = await served();
    for (const path of ['/api/whoami', '/api/accounts?limit=1', '/api/nothing']) {
      const { headers, json } = await own.send(path, accepting('br, gzip'));
      expect(headers, path).not.toHaveProperty('content-encoding');
      expect(json).not.toBeNull();
    }
    const socket = await openSocket(own);
    socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${own.door.port}\r\nAccept-Encoding: br\r\n\r\n`);
    const head: Buffer = await new Promise((resolve) => socket.once('data', resolve));
    expect(head.toString()).toContain('text/event-stream');
    expect(head.toString().toLowerCase()).not.toContain('content-encoding');
  });
});
