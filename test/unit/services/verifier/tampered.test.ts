import { describe, expect, test } from 'vitest';
import { hashEntry, type LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { account, chainOf, time } from '../../../contract/samples.ts';
import { ORIGIN, TestLog, testKey } from '../../../support/evidence-log.ts';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { evidence, evidenceSignedWith, failed, stateOf, verified } from './bed.ts';

function resealed(line: string, change: (entry: Record<string, unknown>) => void): string {
  const entry: LedgerEntry = JSON.parse(line);
  const edited = { ...entry };
  change(edited);
  return JSON.stringify({ ...edited, hash: hashEntry(edited) });
}

const lineWith = (text: string, part: string): string =>
  text.split('\n').find((line) => line.includes(part)) ?? expect.fail(`no line with ${part}`);

describe('evidence that was changed', () => {
  test('an edited entry', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) =>
      edit(files, 'entries.ndjson', (text) => text.replace('"alice"', '"mallory"')),
    );
    const result = await verified(forged, key);
    expect(result.verdict).toBe('failed');
    expect(failed(result)).toBe(
      'Entry 3 of organization (line 4 of entries.ndjson) was edited: its content does not match its hash.',
    );
  });

  test('an edited entry with a new hash', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) =>
      edit(files, 'entries.ndjson', (text) => {
        const line = lineWith(text, '"alice"');
        return text.replace(
          line,
          resealed(line, (entry) => Object.assign(entry, { actor: 'mallory' })),
        );
      }),
    );
    expect(failed(await verified(forged, key))).toContain(
      'Entry 3 of organization is not the entry that the log has at index 2',
    );
  });

  test('a field that the hash does not cover', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) =>
      edit(files, 'entries.ndjson', (text) => text.replace('{"id"', '{"note":"x","id"')),
    );
    expect(failed(await verified(forged, key))).toContain('Line 1 of entries.ndjson is not an entry');
  });

  test.each([
    ['in the middle of a chain', '"id":"intent"', 'Chain 100000000001: entry 3 is missing'],
    ['at the end of a chain', '"seq":400', 'Entry 400 of 100000000007 (index 408) is in the log'],
  ])('an entry removed with its index, %s', async (_, part, message) => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) => {
      let line = -1;
      edit(files, 'entries.ndjson', (text) => {
        const lines = text.split('\n');
        line = lines.findIndex((each) => each.includes(part));
        return lines.toSpliced(line, 1).join('\n');
      });
      edit(files, 'entries-index.txt', (text) => text.split('\n').toSpliced(line, 1).join('\n'));
    });
    expect(failed(await verified(forged, key))).toContain(message);
  });

  test('an entry removed, and its index left', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) =>
      edit(files, 'entries.ndjson', (text) => text.split('\n').toSpliced(0, 1).join('\n')),
    );
    const result = await verified(forged, key);
    expect(failed(result)).toContain('is not the entry that the log has at index 0');
    expect(stateOf(result, 'entries')).toMatchObject({ state: 'failed' });
  });

  test('a fork of the log: all hashes and tiles are made again, and signed by another key', async () => {
    const other = testKey();
    const { zip, key } = await evidence();
    const { zip: forged } = await evidenceSignedWith(other);
    expect((await verified(zip, key)).verdict).toBe('verified');
    expect(failed(await verified(forged, key))).toBe(
      'log/checkpoint is not signed by this public key: it was signed by another key, or for another log.',
    );
  });

  test('a replaced checkpoint', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) =>
      edit(files, 'log/checkpoint', (text) => text.replace('\n410\n', '\n409\n')),
    );
    expect(failed(await verified(forged, key))).toContain('log/checkpoint was changed after it was signed');
  });

  test('an earlier checkpoint of another history', async () => {
    const key = testKey();
    const { zip, names } = await evidenceSignedWith(key);
    const other = new TestLog(key);
    other.append(chainOf(account(1), 9));
    const { note } = await other.publish(time(20));
    const name = names.find((each) => each.endsWith('-9.txt')) ?? expect.fail();
    const forged = tampered(zip, (files) => edit(files, name, () => note));
    expect(failed(await verified(forged, writeVerifierKey(key.verifier(ORIGIN))))).toBe(
      `${name} is not consistent with the newest checkpoint: the log was rewritten or forked.`,
    );
  });

  test('a changed tile or bundle', async () => {
    const { zip, key, names } = await evidence();
    for (const name of names.filter((each) => each.startsWith('log/tile/'))) {
      const forged = tampered(zip, (files) => {
        const bytes = files[name]?.slice() ?? expect.fail();
        bytes[5] = (bytes[5] ?? 0) ^ 1;
        files[name] = bytes;
      });
      const result = await verified(forged, key);
      expect(result.verdict, name).toBe('failed');
      expect(stateOf(result, 'tree'), name).toMatchObject({ state: 'failed' });
    }
  });

  test.each([
    ['a missing tile', 'log/tile/0/000', 'The ZIP file has no log/tile/0/000.'],
    ['no entries', 'entries.ndjson', 'The ZIP file has no entries.ndjson.'],
    ['no description', 'evidence.json', 'The ZIP file has no evidence.json.'],
    ['no checkpoint', 'log/checkpoint', 'The ZIP file has no log/checkpoint.'],
    ['no table of changes', 'changes.csv', 'The ZIP file has no changes.csv.'],
    ['no report', 'report.json', 'The ZIP file has no report.json, which SHA256SUMS lists.'],
  ])('%s', async (_, name, message) => {
    const { zip, key } = await evidence();
    const forged = tampered(
      zip,
      (files) => {
        delete files[name];
      },
      { sums: false },
    );
    expect(failed(await verified(forged, key))).toContain(message);
  });

  test.each([
    [
      'changes.csv',
      (text: string) => text.replace('rollcall', 'nobody'),
      'changes.csv differs from the entries in row',
    ],
    ['changes.csv', (text: string) => `${text}more\r\n`, 'changes.csv has more rows'],
    [
      'evidence.json',
      (text: string) => text.replace('"from": 0', '"from": 9'),
      'No checkpoint before the period has 9 entries',
    ],
    ['evidence.json', () => '{}', 'evidence.json has another form than expected, at format.'],
    ['evidence.json', () => '{', 'evidence.json is not JSON.'],
  ])('%s edited', async (name, change, message) => {
    const { zip, key } = await evidence();
    expect(
      failed(
        await verified(
          tampered(zip, (files) => edit(files, name, change)),
          key,
        ),
      ),
    ).toContain(message);
  });

  test('a policy that differs from the audit log, and a file that was damaged or added', async () => {
    const { zip, key, names } = await evidence();
    const policy = names.find((name) => name.endsWith('.yaml')) ?? expect.fail();
    const changed = await verified(
      tampered(zip, (files) => edit(files, policy, (text) => `${text}# x\n`)),
      key,
    );
    expect(failed(changed)).toBe(`${policy} differs from the text in the audit log.`);
    const damaged = await verified(
      tampered(zip, (files) => edit(files, 'report.json', () => '{}'), { sums: false }),
      key,
    );
    expect(failed(damaged)).toBe('report.json was changed: its SHA-256 is not the one in SHA256SUMS.');
    const added = await verified(
      tampered(zip, (files) => Object.assign(files, { 'note.txt': new Uint8Array(3) }), { sums: false }),
      key,
    );
    expect(failed(added)).toBe('The ZIP file has "note.txt", which is not a file of evidence: it was added later.');
  });
});
