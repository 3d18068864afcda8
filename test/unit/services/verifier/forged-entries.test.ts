import { unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EntryDraft, hashEntry, type LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { type Bench, makeBench } from '../../../adapters/embedded/stores.ts';
import { account, FACET, FIRST, sealAll, time } from '../../../contract/samples.ts';
import { pack } from '../../../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../../../support/evidence-log.ts';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { evidence, failed, PERIOD, stateOf, verified } from './bed.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

/** The verdict on entries.ndjson with other bytes. */
async function withEntries(change: (text: string) => string | Uint8Array) {
  const { zip, key } = await evidence();
  const forged = tampered(zip, (files) => {
    const bytes = files['entries.ndjson'] ?? expect.fail();
    const changed = change(new TextDecoder().decode(bytes));
    files['entries.ndjson'] = typeof changed === 'string' ? new TextEncoder().encode(changed) : changed;
  });
  return verified(forged, key);
}

/** Adds an entry that no checkpoint covers. */
function added(zip: Uint8Array, entry: LedgerEntry): Uint8Array {
  return tampered(zip, (files) => {
    edit(files, 'entries.ndjson', (text) => `${text}${JSON.stringify(entry)}\n`);
    edit(files, 'entries-index.txt', (text) => `${text}\n`);
  });
}

describe('an entry that other programs read differently', () => {
  test.each<readonly [string, (text: string) => string | Uint8Array]>([
    ['a repeated field', (text) => text.replace('"actor":"alice"', '"actor":"mallory","actor":"alice"')],
    ['spaces', (text) => text.replace('{"id":', '{ "id":')],
    ['a line break of Windows', (text) => text.replace('\n', '\r\n')],
    ['another form of a number', (text) => text.replace('"seq":1,', '"seq":1.0,')],
    ['a number above 2^53', (text) => text.replace('"seq":1,', '"seq":9007199254740993,')],
    ['another form of a character', (text) => text.replace('"alice"', '"\\u0061lice"')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['__proto__', (text) => text.replace('{"id":', '{"__proto__":{"actor":"mallory"},"id":')],
    ['a lone surrogate', (text) => text.replace('"alice"', '"\\ud800"')],
    ['bytes that are not UTF-8', (text) => Buffer.from(text.replace('"alice"', '"alic\u00e9"'), 'latin1')],
    ['an empty line at the end', (text) => `${text}\n`],
    ['no line break at the end', (text) => text.slice(0, -1)],
    ['no content', () => ''],
    ['a deep value', (text) => text.replace('"detail":{', `"detail":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)},`)],
  ])('%s', async (_, change) => {
    const result = await withEntries(change);
    expect(result.verdict).toBe('failed');
    expect(failed(result)).toMatch(/entries\.ndjson/);
  });

  test('a character that stands for bytes that are not UTF-8', async () => {
    const store = await bench.open();
    const all = sealAll(account(1), [{ actor: 'j\ufffdrg' }]);
    await store.ledger.append(all);
    const key = testKey();
    const log = new TestLog(key);
    log.append(all);
    await log.publish(PERIOD.until);
    const { zip } = await pack(store, { ...PERIOD, log, key: key.verifier(ORIGIN) });
    const text = writeVerifierKey(key.verifier(ORIGIN));
    const forged = tampered(zip, (files) => {
      const bytes = Buffer.from(files['entries.ndjson'] ?? expect.fail());
      const at = bytes.indexOf('\ufffd');
      files['entries.ndjson'] = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at + 3)]);
    });
    expect(failed(await verified(forged, text))).toBe('entries.ndjson is not text in UTF-8.');
  });
});

describe('an entry without an index', () => {
  test('from before the period, such as a policy, is not shown', async () => {
    const { zip, key } = await evidence();
    const text = 'version: 1\n';
    const [policy = expect.fail()] = sealAll(
      'organization',
      [{ type: 'PolicyChanged', at: time(-9), policyHash: 'e'.repeat(64), detail: { policy: { file: 'p', text } } }],
      { seq: 98, hash: 'f'.repeat(64) },
    );
    const forged = tampered(added(zip, policy), (files) => {
      files['policies/0009-eeeeeeeeeeee.yaml'] = new TextEncoder().encode(text);
      edit(files, 'policies/index.json', (index) =>
        index.replace('[', `[{"file":"policies/0009-eeeeeeeeeeee.yaml","entryId":${JSON.stringify(policy.id)}},`),
      );
    });
    expect((await verified(forged, key)).verdict).not.toBe('verified');
    const result = await verified(added(zip, policy), key);
    expect(stateOf(result, 'entries')).toMatchObject({ state: 'limited' });
    expect(stateOf(result, 'entries')?.message).toContain('No checkpoint covers 1 entry');
  });

  test.each<readonly [string, Partial<EntryDraft>]>([
    ['of an account', { chain: account(1), accountId: account(1) }],
    ['with a state', { after: { ...FACET, verdict: 'Compliant' } }],
    ['with an enrollment', { enrollment: FIRST }],
  ])('is not the publication of the checkpoint, %s', async (_, fields) => {
    const { zip, key } = await evidence();
    const entry = publication(zip, fields);
    expect(stateOf(await verified(added(zip, entry), key), 'entries')).toMatchObject({ state: 'limited' });
  });

  test('with the outcome of a change is not the publication of the checkpoint, and there is only one', async () => {
    const { zip, key } = await evidence();
    const outcome = publication(zip, {}, { intentId: 'intent' });
    expect(stateOf(await verified(added(zip, outcome), key), 'entries')).toMatchObject({ state: 'limited' });
    const once = publication(zip, {});
    expect(stateOf(await verified(added(zip, once), key), 'entries')).toMatchObject({ state: 'passed' });
    const { hash: _, ...rest } = { ...once, id: 'again', seq: once.seq + 1, prevHash: once.hash };
    const twice = added(added(zip, once), { ...rest, hash: hashEntry(rest) });
    expect(stateOf(await verified(twice, key), 'entries')).toMatchObject({ state: 'limited' });
  });
});

function publication(zip: Uint8Array, fields: Partial<EntryDraft>, more: object = {}): LedgerEntry {
  const note = new TextDecoder().decode(unzipSync(zip)['log/checkpoint']);
  const detail = { treeHead: { note, previous: null, proof: [], witnesses: [] }, ...more };
  const chain = fields.chain ?? 'organization';
  const head = { seq: 99, hash: 'f'.repeat(64) };
  const [entry = expect.fail()] = sealAll(
    chain,
    [{ type: 'CheckpointPublished', at: time(86_000_000), enrollment: null, ...fields, detail }],
    head,
  );
  return entry;
}

test('two entries of the same index', async () => {
  const { zip, key } = await evidence();
  const forged = tampered(zip, (files) => {
    const [line = expect.fail()] = new TextDecoder().decode(files['entries.ndjson']).split('\n');
    edit(files, 'entries.ndjson', (text) => `${line}\n${text}`);
    edit(files, 'entries-index.txt', (text) => `0\n${text}`);
  });
  expect(failed(await verified(forged, key))).toContain('is in entries.ndjson twice.');
});
