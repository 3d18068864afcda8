import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { checkpointShape, keyShape, newKeyShape } from './audit-shapes.ts';
import { errorShape } from './shapes.ts';
import { ORGANIZATION, signedStore } from './signed-store.ts';
import { DONE, json, place, refused, rollcall } from './support.ts';

const checkpoint = (cwd: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  rollcall(['audit', 'checkpoint', ...args], { cwd, env });

describe('audit checkpoint', () => {
  test('prints the newest note and nothing else on stdout, and explains it on stderr', async () => {
    const { cwd, env, append, sign, keyOf } = await signedStore();
    await sign();
    await append(2);
    const note = await sign();
    const printed = await checkpoint(cwd, [], env);
    expect(printed).toMatchObject({ code: 0, stdout: note });
    const [origin = ''] = note.split('\n');
    expect(openCheckpoint(printed.stdout, { origin, log: [noteVerifier(keyOf(note))] }).size).toBe(6);
    expect(printed.stderr).toContain(`Covers the first 6 of 6 entries of the log ${origin}.`);
    expect(printed.stderr).toContain(`signed by its key ${keyOf(note).split('+')[1]}.`);
    const quiet = await checkpoint(cwd, ['--quiet']);
    expect(quiet).toMatchObject({ code: 0, stdout: note, stderr: '' });
    const document = checkpointShape.parse(json(await checkpoint(cwd, ['--json'])));
    expect(document).toMatchObject({ note, origin, size: 6, logSize: 6, witnesses: [], problems: [] });
  });

  test('says why there is none: no key, not signed yet, a key that cannot be used', async () => {
    const { cwd, env, sequence, sign } = await signedStore();
    const none = await checkpoint(cwd);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('error: no checkpoint has been signed, because no key is configured');
    expect(none.stderr).toContain('Create a key: rollcall audit checkpoint --new-key FILE');
    expect(none.stderr).toContain('The store has no transparency log yet');
    await sequence();
    const waiting = await checkpoint(cwd, [], env);
    expect(waiting.code).toBe(1);
    expect(waiting.stderr).toContain('error: no checkpoint has been signed yet');
    expect(waiting.stderr).toContain('The log has 3 entries: serve signs the first one within a minute');
    const document = errorShape.parse(json(await checkpoint(cwd, ['--json'])));
    expect(document.error.code).toBe('CheckpointMissing');
    chmodSync(join(cwd, 'key.pem'), 0o644);
    await sign();
    const refusal = await checkpoint(cwd, [], env);
    expect(refusal.code).toBe(1);
    expect(refusal.stderr).toMatch(/error: no checkpoint is signed \(last attempt 2026-03-01 \d\d:00 UTC\)/);
    expect(refusal.stderr).toContain('its permissions are 0644');
    chmodSync(join(cwd, 'key.pem'), 0o600);
    await sign();
    expect(await checkpoint(cwd)).toMatchObject({ code: 0 });
  });

  test('says what keeps a newer checkpoint from being signed', async () => {
    const { cwd, append, sign } = await signedStore();
    const note = await sign();
    await append(2);
    chmodSync(join(cwd, 'key.pem'), 0o640);
    await sign();
    const old = await checkpoint(cwd, ['--quiet']);
    expect(old).toMatchObject({ code: 0, stdout: note });
    expect(old.stderr).toMatch(/^warning: no newer checkpoint is signed \(last attempt .*its permissions are 0640/);
    expect(checkpointShape.parse(json(await checkpoint(cwd, ['--json']))).problems).toMatchObject([
      { kind: 'unsigned' },
    ]);
  });

  test('needs a store', async () => {
    const cwd = place();
    const missing = await checkpoint(cwd);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('there is no store in .rollcall');
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('audit checkpoint --key', () => {
  test('prints the public key in PEM and as a verifier key', async () => {
    const { cwd, env, sign, keyOf } = await signedStore();
    const note = await sign();
    const { code, stdout, stderr } = await checkpoint(cwd, ['--key'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n/);
    expect(stdout.split('\n').slice(3)).toEqual([keyOf(note), '']);
    expect(stderr).toContain('Auditors need one of them');
    const document = keyShape.parse(json(await checkpoint(cwd, ['--key', '--json'], env)));
    expect(document).toMatchObject({ origin: note.split('\n')[0], type: 'ed25519', verifierKey: keyOf(note) });
    expect(stdout).toBe(`${document.pem}${document.verifierKey}\n`);
  });

  test('says which key it needs if it knows none, or if it is a private key that it cannot use', async () => {
    const { cwd, env, sign, keyOf } = await signedStore();
    const [name, id] = keyOf(await sign()).split('+');
    const unknown = await checkpoint(cwd, ['--key']);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('error: this command does not know the key that signs checkpoints');
    expect(unknown.stderr).toContain(`The newest checkpoint is signed by the key ${name}+${id}.`);
    writeFileSync(join(cwd, 'key.pem'), 'no key\n');
    const broken = await checkpoint(cwd, ['--key'], env);
    expect(broken).toMatchObject({ code: 1, stdout: '' });
    expect(broken.stderr).toContain('found no key in PEM format');
    const other = await checkpoint(cwd, ['--key'], { ROLLCALL_CHECKPOINT_KEY: 'other.pem' });
    expect(other.stderr).toContain('other.pem: there is no such file');
  });

  test('warns that another key signed the newest checkpoint', async () => {
    const { cwd, sign, keyOf } = await signedStore();
    const [, id] = keyOf(await sign()).split('+');
    await checkpoint(cwd, ['--new-key', 'second.pem']);
    const { code, stderr } = await checkpoint(cwd, ['--key'], { ROLLCALL_CHECKPOINT_KEY: 'second.pem' });
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: the newest checkpoint is signed by another key (${id})`);
  });
});

describe('audit checkpoint --new-key', () => {
  test('creates a key that only the owner can read, without a store, and never replaces a file', async () => {
    const cwd = place();
    const made = await checkpoint(cwd, ['--new-key', 'key.pem']);
    expect(made).toMatchObject({ code: 0, stderr: DONE });
    expect(statSync(join(cwd, 'key.pem')).mode & 0o777).toBe(0o600);
    expect(made.stdout).toContain('-----BEGIN PUBLIC KEY-----');
    expect(made.stdout).toContain(`  export ROLLCALL_CHECKPOINT_KEY=${join(cwd, 'key.pem')}\n`);
    expect(made.stdout).not.toContain('PRIVATE');
    const before = readFileSync(join(cwd, 'key.pem'));
    const again = await checkpoint(cwd, ['--new-key', 'key.pem']);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('key.pem: the new key cannot be written (EEXIST): the file already exists.');
    expect(readFileSync(join(cwd, 'key.pem'))).toEqual(before);
    mkdirSync(join(cwd, 'd'));
    for (const file of ['d', 'gone/key.pem', 'key.pem/x']) {
      const wrong = await checkpoint(cwd, ['--new-key', file]);
      expect([file, wrong.code, wrong.stdout]).toEqual([file, 1, '']);
      expect(wrong.stderr).toContain(`${file}: the new key cannot be written`);
    }
    expect(readdirSync(cwd).sort()).toEqual(['d', 'key.pem']);
  });

  test('names the key after the log of the store, and refuses no place but warns of a bad one', async () => {
    const { cwd, sequence } = await signedStore();
    await sequence();
    const made = await checkpoint(cwd, ['--new-key', '.rollcall/key.pem', '--json']);
    const { origin, verifierKey } = newKeyShape.parse(json(made));
    expect(origin).toMatch(new RegExp(`^rollcall/${ORGANIZATION}/[a-z0-9]{8}$`));
    expect(verifierKey?.startsWith(`${origin}+`)).toBe(true);
    expect(made.stderr).toContain('warning: .rollcall/key.pem is in the directory of the store');
  });

  test('is not combined with --key', async () => {
    expect(await refused(['audit', 'checkpoint', '--key', '--new-key', 'k.pem'])).toContain('cannot be combined');
    expect(await refused(['audit', 'checkpoint', '--new-key', ''])).toContain('--new-key is empty');
  });
});
