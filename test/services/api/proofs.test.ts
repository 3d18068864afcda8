import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { bindOrganization } from '../../../shared/app/coordination/organization-binding.ts';
import { TransparencyLog } from '../../../shared/app/transparency/transparency-log.ts';
import { headOf, ORGANIZATION_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { logEntry } from '../../../shared/domain/ledger/log-entry.ts';
import { leafHash } from '../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { parseProof, verifyProof } from '../../../shared/domain/transparency/tlog-proof.ts';
import { account, sealAll } from '../../contract/samples.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { keyNamed, memorySigner } from '../../unit/app/transparency/checkpoint-parts.ts';
import { api, documented, store as openStore, READ, TOKENS } from './support.ts';

const nothing = (): void => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const stored = z.object({ runs: z.array(z.json()), hashes: z.string() });

/** An API whose store has three entries. `sign` puts them into the log and signs a checkpoint. */
async function signedApi() {
  const clock = manualClock(MANUAL_CLOCK_START);
  const store = await openStore(clock);
  await bindOrganization(store, { organizationId: 'o-7f3a9c2e1d', arn: 'test' }, clock.now());
  const entries = sealAll(account(1), [{ type: 'AccountJoined' }, {}, {}]);
  await store.ledger.append(entries);
  const [entry] = entries;
  if (entry === undefined) throw new Error('three entries');
  const own = await api({ store, clock, env: TOKENS });
  const signer = memorySigner();
  const parts = { signer, archive: null, witnesses: [] };
  const log = new TransparencyLog({ ...store, clock, newId: own.system.newId, actor: 'test', logger }, 0);
  return {
    ...{ own, entry, store, signer },
    sign: () => log.run(async () => parts, { until: Number.POSITIVE_INFINITY, last: true }),
    send: (path: string, accept = 'application/json') =>
      own.send(path, { headers: { authorization: `Bearer ${READ}`, accept } }),
  };
}

describe('GET /api/audit/checkpoint', () => {
  test('answers with the newest checkpoint as JSON, or with the note as text', async () => {
    const { send, sign } = await signedApi();
    await sign();
    const found = documented(SCHEMAS.Checkpoint, (await send('/api/audit/checkpoint')).json);
    expect(found).toMatchObject({ size: 3, logSize: 3, witnesses: [], problems: [] });
    const text = await send('/api/audit/checkpoint', 'text/plain');
    expect(text).toMatchObject({ status: 200, text: found.note });
    expect(text.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment; filename="checkpoint.txt"',
    });
    const any = await send('/api/audit/checkpoint', 'text/plain, application/json');
    expect(any.headers['content-type']).toMatch(/^application\/json/);
    const verification = documented(SCHEMAS.Verification, (await send('/api/audit/verification')).json);
    const { note: _note, root: _root, logSize: _logSize, problems: _problems, ...shown } = found;
    expect(verification.checkpoint).toEqual(shown);
  });

  test('a damaged log is named by the verification, and is not proved', async () => {
    const { own, send, sign, store } = await signedApi();
    await sign();
    const bundle = await store.registers.read('log-bundle/0');
    const { runs, hashes } = stored.parse(bundle?.value);
    const [first = 'A'] = hashes;
    await store.registers.write(
      'log-bundle/0',
      { runs, hashes: `${first === 'A' ? 'B' : 'A'}${hashes.slice(1)}` },
      bundle?.version ?? null,
    );
    const read = { authorization: `Bearer ${READ}` };
    const verified = documented(SCHEMAS.Verification, (await own.post('/api/audit/verify', {}, read)).json);
    expect(verified.state).toBe('damaged');
    expect(verified.faults).toMatchObject([{ kind: 'fork', chain: account(1), seq: 1 }]);
    // Its path leads over the damaged leaf.
    const proof = await send(`/api/audit/proof/${account(1)}%232`);
    expect(proof.status).toBe(500);
    expect(proof.json).toMatchObject({ code: 'LedgerBroken' });
  });

  test('says why there is none', async () => {
    const { send, sign, signer } = await signedApi();
    const none = await send('/api/audit/checkpoint');
    expect(none.status).toBe(404);
    expect(none.json).toMatchObject({ code: 'CheckpointMissing', detail: expect.stringContaining('If a key is') });
    const { json } = await send('/api/audit/verification');
    expect(documented(SCHEMAS.Verification, json)).toMatchObject({ checkpoint: null });
    signer.fails = 'denied';
    await sign();
    const refused = await send('/api/audit/checkpoint', 'text/plain');
    expect(refused.status).toBe(404);
    expect(refused.json).toMatchObject({ detail: expect.stringContaining('the key of the test is out of order') });
  });

  test('needs the role read', async () => {
    const { own } = await signedApi();
    for (const path of ['/api/audit/checkpoint', `/api/audit/proof/${account(1)}%231`]) {
      expect((await own.send(path)).status).toBe(401);
    }
  });
});

describe('GET /api/audit/proof/{id}', () => {
  test('answers with a proof that verifies, by id and by position', async () => {
    const { send, sign, entry } = await signedApi();
    await sign();
    const found = documented(SCHEMAS.EntryProof, (await send(`/api/audit/proof/${entry.id}`)).json);
    const { origin } = found.checkpoint;
    expect(found).toMatchObject({ entry: { id: entry.id }, index: 0, checkpoint: { size: 3 } });
    const leaf = leafHash(logEntry(entry.chain, headOf(entry)));
    const trust = { origin, log: [noteVerifier(keyNamed(origin))] };
    expect(verifyProof(parseProof(found.proof), leaf, trust).size).toBe(3);
    const text = await send(`/api/audit/proof/${account(1)}%231`, 'text/plain');
    expect(text.text).toBe(found.proof);
    expect(text.headers['content-disposition']).toBe(`attachment; filename="proof-${entry.id}.txt"`);
  });

  test('says that no checkpoint covers the entry, and that there is none', async () => {
    const { send, sign, entry } = await signedApi();
    const unsigned = await send(`/api/audit/proof/${entry.id}`, 'text/plain');
    expect(unsigned.status).toBe(409);
    expect(unsigned.json).toMatchObject({ code: 'EntryNotCovered' });
    const shown = async (id: string) =>
      documented(SCHEMAS.ShownEntry, (await send(`/api/audit/entries/${encodeURIComponent(id)}`)).json).log;
    expect(await shown(entry.id)).toEqual({ index: null, covered: false });
    await sign();
    expect(await shown(entry.id)).toEqual({ index: 0, covered: true });
    // The entry of the checkpoint itself is newer than the checkpoint.
    const own = await send(`/api/audit/proof/${ORGANIZATION_CHAIN}%231`);
    expect(own).toMatchObject({ status: 409 });
    expect(await shown(`${ORGANIZATION_CHAIN}#1`)).toEqual({ index: null, covered: false });
    for (const id of ['nonsense', `${account(1)}%239`]) {
      const unknown = await send(`/api/audit/proof/${id}`);
      expect(unknown.status).toBe(404);
      expect(unknown.json).toMatchObject({ code: 'EntryUnknown' });
    }
  });
});
