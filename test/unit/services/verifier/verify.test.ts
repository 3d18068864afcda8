import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { type Bench, makeBench } from '../../../adapters/embedded/stores.ts';
import { account, chainOf, sealAll, time } from '../../../contract/samples.ts';
import { pack } from '../../../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../../../support/evidence-log.ts';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { history } from '../../app/queries/evidence/history.ts';
import { evidence, evidenceSignedWith, failed, PERIOD, stateOf, verified } from './bed.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

describe('evidence that is intact', () => {
  test.each(['ed25519', 'ecdsa'] as const)('is verified by a pasted key, %s, in both forms', async (type) => {
    const { zip, key, pem } = await evidenceSignedWith(testKey(type));
    for (const text of [key, pem, `\n${key} \n`]) {
      const result = await verified(zip, text);
      expect(result.checks.filter(({ state }) => state !== 'passed')).toEqual([]);
      expect(result.verdict).toBe('verified');
    }
    const result = await verified(zip, key);
    expect(result).toMatchObject({ entries: { period: 409, notCovered: 0 }, checkpoint: { size: 410 } });
    expect(result.changes.map(({ outcome }) => outcome)).toContain('Confirmed');
    expect(stateOf(result, 'complete')?.message).toContain('All 410 entries');
  });

  test('is only consistent with the key that came with it', async () => {
    const { zip } = await evidence();
    const result = await verified(zip);
    expect(result.verdict).toBe('ownKey');
    expect(stateOf(result, 'signature')).toMatchObject({ state: 'limited' });
  });

  test('without a checkpoint is not proved', async () => {
    const store = await bench.open();
    await store.ledger.append(history());
    const { zip } = await pack(store, PERIOD);
    const result = await verified(zip);
    expect(result.verdict).toBe('unproved');
    expect(failed(result)).toBeUndefined();
  });

  test('with entries that are newer than the checkpoint is verified in part', async () => {
    const store = await bench.open();
    const all = chainOf(account(1), 5);
    await store.ledger.append(all);
    const key = testKey();
    const log = new TestLog(key);
    log.append(all.slice(0, 3));
    await log.publish(time(2_500));
    const { zip } = await pack(store, { ...PERIOD, log, key: key.verifier(ORIGIN) });
    const result = await verified(zip, writeVerifierKey(key.verifier(ORIGIN)));
    expect(result).toMatchObject({ verdict: 'partly', entries: { period: 5, notCovered: 2 } });
    expect(stateOf(result, 'entries')?.message).toContain(`covers 2 entries, the first of 2026-03-01 12:00:03 UTC`);
  });
});

test('the entry that publishes the newest checkpoint needs no other checkpoint', async () => {
  const store = await bench.open();
  const all = [...chainOf(account(1), 3), ...sealAll(account(8), [{ at: PERIOD.until }])];
  const key = testKey();
  const log = new TestLog(key);
  log.append(all);
  const { note } = await log.publish(time(4_000));
  const published = sealAll('organization', [
    {
      type: 'CheckpointPublished',
      at: time(4_000),
      detail: { treeHead: { note, previous: null, proof: [], witnesses: [] } },
    },
  ]);
  await store.ledger.append([...all, ...published]);
  const { zip, summary } = await pack(store, { ...PERIOD, log, key: key.verifier(ORIGIN) });
  expect(summary).toMatchObject({ entries: { period: 4, notCovered: 0 }, limits: [] });
  const text = writeVerifierKey(key.verifier(ORIGIN));
  expect(await verified(zip, text)).toMatchObject({ verdict: 'verified', entries: { period: 4, notCovered: 0 } });
  const other = tampered(zip, (files) => edit(files, 'log/checkpoint', (found) => found.replace('\n4\n', '\n5\n')));
  expect((await verified(other, text)).verdict).toBe('failed');
});

test('evidence of a period that ends after the newest checkpoint says so when it is packed, as the page does', async () => {
  const store = await bench.open();
  const all = chainOf(account(1), 3);
  const key = testKey();
  const log = new TestLog(key);
  log.append(all);
  await log.publish(time(4_000));
  await store.ledger.append(all);
  const { zip, summary } = await pack(store, { ...PERIOD, log, key: key.verifier(ORIGIN) });
  expect(summary.limits.join(' ')).toContain('No checkpoint is newer than the period');
  expect((await verified(zip, writeVerifierKey(key.verifier(ORIGIN)))).verdict).toBe('partly');
});

describe('input that is not evidence', () => {
  test.each<readonly [string, (zip: Uint8Array) => Uint8Array, string]>([
    ['text', () => new TextEncoder().encode('hello'), 'This is not a ZIP file.'],
    ['nothing', () => new Uint8Array(), 'This is not a ZIP file.'],
    ['a truncated file', (zip) => zip.slice(0, zip.length / 2), 'The ZIP file is damaged or truncated.'],
  ])('%s', async (_, change, message) => {
    const { zip, key } = await evidence();
    const result = await verified(change(zip), key);
    expect(result).toMatchObject({ verdict: 'failed', file: null });
    expect(failed(result)).toContain(message);
  });

  test.each([
    ['text', 'hello', 'it is not a name, 8 hexadecimal digits and a key'],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      'not a PEM file with one public key',
    ],
    ['a truncated PEM file', '-----BEGIN PUBLIC KEY-----\nAAAA', 'not a PEM file with one public key'],
    ['another kind of key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'P-256'],
  ])('a key that is %s', async (_, key, message) => {
    const { zip } = await evidence();
    const found = failed(await verified(zip, key));
    expect(found).toContain('The public key cannot be read');
    expect(found).toContain(message);
  });

  test('a key of another log', async () => {
    const { zip } = await evidence();
    const other = writeVerifierKey(testKey().verifier('rollcall/o-other/abcdefgh'));
    expect(failed(await verified(zip, other))).toBe(
      `The public key is of the log rollcall/o-other/abcdefgh, but log/checkpoint is of the log ${ORIGIN}.`,
    );
  });
});
