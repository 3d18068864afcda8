import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { witnessClient } from '../../../shared/adapters/system/witness-client.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { openNote, parseNote } from '../../../shared/domain/transparency/signed-note.ts';
import { cosignRequest, LOG, witnessContract } from '../../contract/witness.contract.ts';
import { connectProxy } from '../../support/connect-proxy.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { misbehaving, startWitness, type TestWitness, type WitnessBehaviour } from '../../support/witness.ts';

const NAME = 'witness.example/w1';
const now = () => 1_793_610_000;

witnessContract('HTTP', async () => {
  const server = await startWitness({ name: NAME, logs: [LOG.key], now });
  const bed = () => ({ witness: witnessClient({ name: NAME, url: server.url }), key: server.key });
  return { port: bed(), another: async () => bed(), clock: manualClock(), close: async () => server.close() };
});

describe('a witness over HTTP', () => {
  let server: TestWitness;
  beforeEach(async () => {
    server = await startWitness({ name: NAME, logs: [LOG.key], now });
    onTestFinished(() => server.close());
  });
  const client = () => witnessClient({ name: NAME, url: server.url, timeoutMs: 300 });

  it('is sent the old size, the proof, an empty line and the checkpoint', async () => {
    await client().cosign(await cosignRequest(0, 40));
    const request = await cosignRequest(40, 50);
    await client().cosign(request);
    const proof = request.proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
    expect(request.proof.length).toBeGreaterThan(2);
    expect(server.requests[1]).toBe(`old 40\n${proof}\n${request.checkpoint}`);
  });

  it('may have a URL that ends with a slash', async () => {
    const witness = witnessClient({ name: NAME, url: `${server.url}/` });
    expect(await witness.cosign(await cosignRequest(0, 1))).toMatchObject({ kind: 'cosigned' });
  });

  const { refusing, saying } = misbehaving;
  const SIZE = 'text/x.tlog.size';
  it.each<readonly [string, WitnessBehaviour, string, RegExp]>([
    ['refuses with 400', refusing(400), 'refused', /malformed \(HTTP 400\)$/],
    ['refuses with 403', refusing(403), 'refused', /\(HTTP 403\)$/],
    ['refuses with 404', refusing(404), 'refused', /\(HTTP 404\)$/],
    ['refuses with 422', refusing(422), 'refused', /\(HTTP 422\)$/],
    ['refuses with 409 without a size', refusing(409), 'refused', /another tree of the same size/],
    ['says that its size is the old size', saying(409, SIZE, '3\n'), 'refused', /another tree of the same size/],
    ['answers 500', refusing(500), 'unavailable', /^HTTP 500$/],
    ['answers 429', refusing(429), 'unavailable', /^HTTP 429$/],
    ['answers 204', refusing(204), 'unavailable', /^HTTP 204$/],
    ['answers 200 without a body', saying(200, 'text/plain', ''), 'unavailable', /^HTTP 200 without signature lines$/],
    ['answers a web page', saying(200, 'text/html', '<html>\n'), 'unavailable', /without signature lines$/],
    ['answers bytes', saying(200, 'text/plain', new Uint8Array([0xff, 10])), 'unavailable', /without signature lines$/],
    ['gives no number', saying(409, SIZE, 'many\n'), 'unavailable', /^HTTP 409 without a tree size$/],
    ['gives a negative size', saying(409, SIZE, '-1\n'), 'unavailable', /without a tree size$/],
    ['gives a size with leading zeros', saying(409, SIZE, '007\n'), 'unavailable', /without a tree size$/],
    ['gives a size without a line break', saying(409, SIZE, '7'), 'unavailable', /without a tree size$/],
    ['gives an enormous size', saying(409, SIZE, `${'9'.repeat(40)}\n`), 'unavailable', /without a tree size$/],
    ['hangs', misbehaving.hanging, 'unavailable', /^no complete answer within 300 ms$/],
    ['stops in the middle', misbehaving.stopping, 'unavailable', /^no complete answer within 300 ms$/],
    ['closes the connection', misbehaving.closing, 'unavailable', /^no answer \(ECONNRESET\)$/],
    ['sends without end', misbehaving.endless, 'unavailable', /^an answer of more than 65536 bytes$/],
  ])('that %s is reported with a short reason', async (_what, behaviour, kind, reason) => {
    server.behave = behaviour;
    const answer = await client().cosign(await cosignRequest(3, 9));
    expect(answer).toEqual({ kind, reason: expect.stringMatching(reason) });
    expect(inspect(answer)).not.toContain('127.0.0.1');
  });

  it('that redirects is not followed', async () => {
    const other = await startWitness({ name: NAME, logs: [LOG.key], now });
    onTestFinished(() => other.close());
    server.behave = misbehaving.redirecting(`${other.url}/add-checkpoint`);
    const answer = await client().cosign(await cosignRequest(0, 9));
    expect(answer).toEqual({ kind: 'unavailable', reason: 'HTTP 307, a redirect, which is not followed' });
    expect(other.requests).toEqual([]);
  });

  it('that cannot be reached is unavailable', async () => {
    server.close();
    const answer = await client().cosign(await cosignRequest(0, 9));
    expect(answer).toEqual({ kind: 'unavailable', reason: 'no answer (ECONNREFUSED)' });
  });

  it('that gives a size with a character set is understood', async () => {
    server.behave = saying(409, 'Text/X.Tlog.Size; charset=utf-8', '7\n');
    expect(await client().cosign(await cosignRequest(3, 9))).toEqual({ kind: 'conflict', size: 7 });
  });

  it('that signs something else returns signatures that do not verify', async () => {
    const other = await cosignRequest(0, 8);
    const lie = await server.lie(parseNote(other.checkpoint).text);
    server.behave = saying(200, 'text/plain', lie);
    const request = await cosignRequest(0, 9);
    const answer = await client().cosign(request);
    if (answer.kind !== 'cosigned') return expect.fail(answer.kind);
    const note = { text: parseNote(request.checkpoint).text, signatures: answer.signatures };
    expect(() => openNote(note, [noteVerifier(server.key)])).toThrow(/does not match the text/);
  });

  it('is asked through the proxy', async () => {
    const proxy = await connectProxy();
    const network = { proxy: { HTTP_PROXY: proxy.url }, ca: null, region: null };
    const url = server.url.replace('127.0.0.1', 'witness.invalid');
    const answer = await witnessClient({ name: NAME, url, network }).cosign(await cosignRequest(0, 1));
    expect(answer.kind).toBe('cosigned');
    expect(proxy.seen).toEqual([`POST ${url}/add-checkpoint`]);
  });
});
