import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { headOf } from '../../../shared/domain/ledger/entry.ts';
import { logEntry } from '../../../shared/domain/ledger/log-entry.ts';
import { leafHash } from '../../../shared/domain/transparency/hash.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { parseProof, verifyProof } from '../../../shared/domain/transparency/tlog-proof.ts';
import { account } from '../../contract/samples.ts';
import { newKeyShape, proofShape, provedShape } from './audit-shapes.ts';
import { errorShape } from './shapes.ts';
import { signedStore } from './signed-store.ts';
import { DONE, json, refused, rollcall } from './support.ts';

const prove = (cwd: string, ...args: string[]) => rollcall(['audit', 'proof', ...args], { cwd });

describe('audit proof', () => {
  test('prints a proof that verifies with the public key, by each name of the entry', async () => {
    const { cwd, append, sign, keyOf } = await signedStore();
    const [entry] = await append(2);
    if (entry === undefined) return expect.fail('two entries');
    const note = await sign();
    const named = [entry.id, entry.id.slice(-8), entry.id.slice(-8).toLowerCase(), `${account(1)}#${entry.seq}`];
    const printed = await Promise.all(named.map((name) => prove(cwd, name)));
    const [origin = ''] = note.split('\n');
    for (const { code, stdout, stderr } of printed) {
      expect(code).toBe(0);
      const proof = parseProof(stdout);
      const leaf = leafHash(logEntry(entry.chain, headOf(entry)));
      expect(verifyProof(proof, leaf, { origin, log: [noteVerifier(keyOf(note))] }).size).toBe(5);
      expect(stderr).toContain(
        `Proves that the log ${origin} has entry 4 of ${account(1)} at index 3, with the checkpoint of`,
      );
    }
    const document = proofShape.parse(json(await prove(cwd, entry.id, '--json')));
    expect(document).toMatchObject({ entry: { id: entry.id }, index: 3, proof: printed[0]?.stdout, file: null });
    expect(document.checkpoint).toMatchObject({ note, origin, size: 5 });
  });

  test('a key with the name of the log before a restore is recognized, but not accepted without the store', async () => {
    const { cwd, append, sign, keyOf } = await signedStore();
    const before = keyOf(await sign());
    const second = await signedStore();
    const other = second.keyOf(await second.sign());
    expect((await rollcall(['restore', '--acknowledge', '--reason', 'snapshot'], { cwd })).code).toBe(0);
    await append(1);
    const note = await sign();
    writeFileSync(join(cwd, 'p.json'), (await prove(cwd, `${account(1)}#4`, '--json')).stdout);
    expect((await prove(cwd, '--verify', 'p.json', '--key', keyOf(note))).code).toBe(0);
    const renamed = await prove(cwd, '--verify', 'p.json', '--key', before);
    expect(renamed.code).toBe(1);
    expect(renamed.stdout).toContain(
      'It is the same public key, and a log gets a new name when its store is restored.',
    );
    const foreign = await prove(cwd, '--verify', 'p.json', '--key', other);
    expect([foreign.code, foreign.stdout.includes('same public key')]).toEqual([1, false]);
  });

  test('writes a complete file, and replaces none without --force', async () => {
    const { cwd, sign } = await signedStore();
    await sign();
    const name = `${account(1)}#1`;
    const { stdout: proof } = await prove(cwd, name, '--quiet');
    const first = await prove(cwd, name, '--out', 'p.txt');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(/^Wrote p\.txt\. Proves that the log /);
    expect(readFileSync(join(cwd, 'p.txt'), 'utf8')).toBe(proof);
    writeFileSync(join(cwd, 'p.txt'), 'old');
    const again = await prove(cwd, name, '--out', 'p.txt');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('p.txt already exists; name another file with --out, or replace it with --force');
    const forced = await prove(cwd, name, '--out', 'p.txt', '--force', '--json');
    expect(proofShape.parse(json(forced))).toMatchObject({ file: 'p.txt', proof });
    expect(readFileSync(join(cwd, 'p.txt'), 'utf8')).toBe(proof);
    mkdirSync(join(cwd, 'd'));
    expect((await prove(cwd, name, '--out', 'd', '--force')).stderr).toContain('d cannot be written');
    expect((await prove(cwd, name, '--out', 'gone/p.txt')).stderr).toContain('(ENOENT): there is no such directory');
    expect(readdirSync(cwd).sort()).toEqual(['.rollcall', 'd', 'key.pem', 'p.txt']);
  });

  test('says when an entry will be covered, and that there is no such entry', async () => {
    const { cwd, append, sign } = await signedStore();
    const name = `${account(1)}#4`;
    await append(1);
    const unsigned = await prove(cwd, name);
    expect(unsigned).toMatchObject({ code: 1, stdout: '' });
    expect(unsigned.stderr).toContain('error: no checkpoint has been signed, because no key is configured');
    await sign();
    await append(1);
    const waiting = await prove(cwd, `${account(1)}#5`);
    expect(waiting).toMatchObject({ code: 1, stdout: '' });
    expect(waiting.stderr).toContain(`error: no checkpoint covers entry 5 of ${account(1)} yet`);
    expect(waiting.stderr).toContain('covers the first 4 entries.');
    expect(waiting.stderr).toContain('sign the next one after a run, or within an hour');
    const document = errorShape.parse(json(await prove(cwd, `${account(1)}#5`, '--json')));
    expect(document.error.code).toBe('EntryNotCovered');
    for (const unknown of [`${account(1)}#9`, 'ZZZZZZZZ', 'nonsense', '#']) {
      const none = await prove(cwd, unknown);
      expect(none).toMatchObject({ code: 1, stdout: '' });
      expect(none.stderr).toContain(`There is no entry ${JSON.stringify(unknown)}`);
    }
  });
});

describe('audit proof --verify', () => {
  /** Two entries with proofs, as JSON and as text, and what an auditor has. */
  async function proved() {
    const { cwd, sign, keyOf } = await signedStore();
    const note = await sign();
    for (const seq of [1, 2]) {
      const { stdout } = await prove(cwd, `${account(1)}#${seq}`, '--json');
      writeFileSync(join(cwd, `${seq}.json`), stdout);
      await prove(cwd, `${account(1)}#${seq}`, '--out', `${seq}.txt`);
      const shown = await rollcall(['audit', 'show', `${account(1)}#${seq}`, '--json'], { cwd });
      writeFileSync(join(cwd, `entry-${seq}.json`), shown.stdout);
    }
    renameSync(join(cwd, '.rollcall'), join(cwd, 'gone'));
    const verify = (...args: string[]) => prove(cwd, '--verify', ...args);
    return { cwd, key: keyOf(note), note, verify };
  }

  test('verifies a proof without a store, with the entry in the same file or in another', async () => {
    const { key, note, verify } = await proved();
    const [origin = ''] = note.split('\n');
    const whole = await verify('1.json', '--key', key);
    expect(whole).toMatchObject({ code: 0, stderr: DONE });
    expect(whole.stdout).toMatch(
      new RegExp(`^✓ The log ${origin} has entry 1 of ${account(1)} \\(\\w+, 2026-03-01 12:00 UTC\\) at index 0\\. `),
    );
    expect(await verify('2.txt', '--key', key, '--entry', 'entry-2.json')).toMatchObject({ code: 0 });
    const document = json(await verify('2.json', '--key', key, '--json'));
    expect(provedShape.parse(document)).toMatchObject({ ok: true, seq: 2, index: 1, origin, size: 3 });
  });

  test('refuses the proof of another entry, an edited entry, and another key', async () => {
    const { cwd, key, verify } = await proved();
    const other = await verify('1.txt', '--key', key, '--entry', 'entry-2.json');
    expect(other.code).toBe(1);
    expect(other.stdout).toContain(`✗ This does not prove entry 2 of ${account(1)}: inclusion proof: it does not lead`);
    const edited = readFileSync(join(cwd, '1.json'), 'utf8').replace('"actor":"', '"actor":"not ');
    writeFileSync(join(cwd, 'edited.json'), edited);
    expect((await verify('edited.json', '--key', key)).stdout).toContain('the entry was edited');
    const stranger = await rollcall(['audit', 'checkpoint', '--new-key', 'second.pem', '--json'], { cwd });
    writeFileSync(join(cwd, 'second.pub'), newKeyShape.parse(json(stranger)).pem);
    const wrong = await verify('1.json', '--key', 'second.pub');
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('there is no signature by a trusted key');
  });

  test('refuses files that are no proof and no entry, and options that do not go together', async () => {
    const { cwd, key, verify } = await proved();
    const text = readFileSync(join(cwd, '1.txt'), 'utf8');
    const files = { empty: '', cut: text.slice(0, -30), text: 'hello\n', 'a.json': '{"a":1}' };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    for (const name of Object.keys(files)) {
      const bad = await verify(name, '--key', key);
      expect([name, bad.code, bad.stdout]).toEqual([name, 1, '']);
      expect(bad.stderr).toMatch(
        new RegExp(`^error: --verify ${name}: it is not a proof\n {2}Found: .+\n {2}Expected: `),
      );
      const entry = await verify('1.txt', '--key', key, '--entry', name);
      expect(entry).toMatchObject({ code: 1, stdout: '' });
      expect(entry.stderr).toContain(`--entry ${name}: it has no entry of the audit log`);
    }
    expect((await verify('1.txt', '--key', key)).stderr).toContain('needs --entry FILE');
    expect((await verify('nowhere', '--key', key)).stderr).toContain('nowhere cannot be read (ENOENT)');
    for (const [args, words] of [
      [['--verify', 'p'], '--verify needs --key KEY'],
      [['--key', 'k'], '--key and --entry are for --verify FILE'],
      [['ID', '--verify', 'p', '--key', 'k'], 'it takes no entry id'],
      [[], 'Name an entry'],
    ] as const) {
      expect(await refused(['audit', 'proof', ...args])).toContain(words);
    }
  });
});
