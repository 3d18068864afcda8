import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { account } from '../../contract/samples.ts';
import { keptShape, newKeyShape, verifyShape } from './audit-shapes.ts';
import { type SignedStore, signedStore } from './signed-store.ts';
import { DONE, json, refused, rollcall } from './support.ts';

type Signed = SignedStore & { readonly note: string; readonly key: string };

/** A store with a checkpoint in `c.txt` and its public key in `key.txt`. */
async function kept(id = 'ONE'): Promise<Signed> {
  const store = await signedStore({ id });
  const note = await store.sign();
  writeFileSync(join(store.cwd, 'c.txt'), note);
  const { stdout } = await rollcall(['audit', 'checkpoint', '--key'], store);
  writeFileSync(join(store.cwd, 'key.txt'), stdout);
  return { ...store, note, key: store.keyOf(note) };
}

const verify = (cwd: string, ...args: string[]) => rollcall(['audit', 'verify', ...args], { cwd });
const KEPT = ['--checkpoint', 'c.txt', '--key', 'key.txt'];

describe('audit verify --checkpoint', () => {
  test('a store with everything that the checkpoint covers, also a stale one, with each form of the key', async () => {
    const { cwd, append, sign, key, note } = await kept();
    const fresh = await verify(cwd, ...KEPT);
    expect(fresh).toMatchObject({ code: 0 });
    expect(fresh.stdout).toContain('✓ Audit log intact: 4 entries in 2 chains.');
    expect(fresh.stdout).toContain(
      '✓ The store has all 3 entries that the checkpoint covers, unchanged; 0 entries were appended since.',
    );
    expect(fresh.stdout).not.toContain('Not shown');
    await append(2);
    await sign();
    writeFileSync(join(cwd, 'verifier-key.txt'), `${key}\n`);
    writeFileSync(join(cwd, 'c.json'), JSON.stringify({ note, origin: 'any' }));
    const entry = { type: 'CheckpointPublished', detail: { treeHead: { note } } };
    writeFileSync(join(cwd, 'entry.json'), JSON.stringify(entry));
    writeFileSync(join(cwd, 'event.json'), JSON.stringify({ source: 'rollcall', detail: entry }));
    for (const [file, by] of [
      ['c.txt', 'key.txt'],
      ['c.txt', 'verifier-key.txt'],
      ['c.json', key],
      ['entry.json', key],
      ['event.json', key],
    ] as const) {
      const stale = await verify(cwd, '--checkpoint', file, '--key', by, '--json');
      expect(keptShape.parse(json(stale))).toMatchObject({
        ok: true,
        checkpoint: { outcome: 'consistent', appended: 3 },
      });
    }
  });

  test('a store that was replaced by an older copy', async () => {
    const { cwd, append, sign } = await kept();
    cpSync(join(cwd, '.rollcall'), join(cwd, 'older'), { recursive: true });
    await append(2);
    writeFileSync(join(cwd, 'c.txt'), await sign());
    const older = await verify(cwd, ...KEPT, '--data-dir', 'older');
    expect(older.code).toBe(1);
    expect(older.stdout).toContain('✓ Audit log intact: 4 entries in 2 chains.');
    expect(older.stdout).toMatch(
      /✗ The store lacks 3 entries of the 6 that the checkpoint covers: its log has 3 entries, the last written 2026-03-01 \d\d:\d\d UTC; it was truncated, or replaced by an older copy\.\n/,
    );
    expect(older.stdout).toContain('  Copy the store (older) before you do anything else\n');
    expect(older.stdout).toContain('  Compare it with a backup, and with the entries that were published');
  });

  test('a store that was rewritten or forked, with the first place that differs', async () => {
    const { cwd, append, sign } = await kept();
    cpSync(join(cwd, '.rollcall'), join(cwd, 'fork'), { recursive: true });
    await append(2);
    writeFileSync(join(cwd, 'c.txt'), await sign());
    renameSync(join(cwd, '.rollcall'), join(cwd, 'first'));
    renameSync(join(cwd, 'fork'), join(cwd, '.rollcall'));
    await append(4);
    await sign();
    const forked = await verify(cwd, ...KEPT);
    expect(forked.code).toBe(1);
    expect(forked.stdout).toContain(
      '✗ The store does not have the 6 entries that the checkpoint covers: it was rewritten',
    );
    expect(forked.stdout).toContain(`the first difference is among the 3 entries from entry 4 of ${account(1)} on`);
    expect(forked.stdout).toContain(`then: rollcall audit show ${account(1)}#4\n`);
    const document = keptShape.parse(json(await verify(cwd, ...KEPT, '--json')));
    expect(document).toMatchObject({ ok: false, checkpoint: { outcome: 'differs', difference: { among: 3 } } });
  });

  test('a checkpoint of another store, another key, a changed checkpoint', async () => {
    const [own, other] = [await kept(), await kept('TWO')];
    const { cwd } = own;
    writeFileSync(join(cwd, 'other.txt'), other.note);
    const foreign = await verify(cwd, '--checkpoint', 'other.txt', '--key', other.key);
    expect(foreign.code).toBe(1);
    expect(foreign.stdout).toMatch(/✗ The checkpoint is of the log [a-z0-9]{8}, but the store has the log [a-z0-9]{8}/);
    expect(foreign.stdout).toContain('  Nothing was compared. Choose the store of this checkpoint');
    const made = await rollcall(['audit', 'checkpoint', '--new-key', 'second.pem', '--json'], { cwd });
    const { verifierKey = null } = newKeyShape.parse(json(made));
    const [name, id] = (verifierKey ?? '').split('+');
    const wrong = await verify(cwd, '--checkpoint', 'c.txt', '--key', verifierKey ?? '');
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).not.toContain('✓ Matches');
    expect(wrong.stdout).toContain(
      `✗ The checkpoint is signed by ${own.key.split('+').slice(0, 2).join('+')}, but the given key is ${name}+${id}.`,
    );
    writeFileSync(join(cwd, 'c.txt'), own.note.replace('\n3\n', '\n2\n'));
    const changed = await verify(cwd, ...KEPT);
    expect(changed.code).toBe(1);
    expect(changed.stdout).not.toContain('✓ Matches');
    expect(changed.stdout).toContain('✗ The signature of the checkpoint is wrong');
    expect(changed.stdout).toContain('  Nothing was compared. Get the checkpoint again');
  });

  test('files that are no checkpoint and no key', async () => {
    const { cwd, note, key } = await kept();
    const files: Readonly<Record<string, string | Uint8Array>> = {
      empty: '',
      binary: new Uint8Array([0, 255, 254, 10, 10, 1]),
      cut: note.slice(0, -20),
      text: 'hello\n',
      'other.json': '{"a":1}',
      'lines.txt': note.replaceAll('\n', '\r\n'),
      'no-key.pem': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'id.txt': key.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    mkdirSync(join(cwd, 'd'));
    for (const name of ['empty', 'binary', 'cut', 'text', 'other.json', 'lines.txt', 'd', 'gone']) {
      const bad = await verify(cwd, '--checkpoint', name, '--key', key);
      expect([name, bad.code, bad.stdout]).toEqual([name, 1, '']);
      expect(bad.stderr).toMatch(
        name === 'd' || name === 'gone'
          ? /^error: (d is a directory|gone cannot be read \(ENOENT\))/
          : new RegExp(`^error: --checkpoint ${name}: it is not a signed checkpoint\n {2}Found: .+\n {2}Expected: `),
      );
    }
    for (const name of ['empty', 'binary', 'text', 'no-key.pem', 'id.txt', 'key.pem', 'd', 'gone']) {
      const bad = await verify(cwd, '--checkpoint', 'c.txt', '--key', name);
      expect([name, bad.code, bad.stdout]).toEqual([name, 1, '']);
      expect(bad.stderr).toMatch(
        name === 'd' || name === 'gone'
          ? /^error: (d is a directory|gone cannot be read \(ENOENT\): there is no such file, and it is not a verifier key)/
          : new RegExp(`^error: --key ${name}: it is not the public key of a log\n {2}Found: .+\n {2}Expected: `),
      );
      expect(bad.stderr).not.toContain('PRIVATE KEY-----');
    }
  });

  test('a private key that is given by mistake is not shown', async () => {
    const { cwd } = await kept();
    const pem = readFileSync(join(cwd, 'key.pem'), 'utf8');
    const [, secret = ''] = pem.split('\n');
    writeFileSync(join(cwd, 'commented.pem'), `comment\n${pem}`);
    writeFileSync(join(cwd, 'bare.txt'), `${secret}\n`);
    for (const key of ['commented.pem', 'bare.txt', pem]) {
      const bad = await verify(cwd, '--checkpoint', 'c.txt', '--key', key);
      expect([bad.code, bad.stdout]).toEqual([1, '']);
      expect(bad.stderr).toContain('it is not the public key of a log');
      expect(bad.stderr).not.toContain(secret.slice(0, 30));
    }
  });

  test('options that do not go together', async () => {
    expect(await refused(['audit', 'verify', '--checkpoint', 'c'])).toContain('--checkpoint needs --key KEY');
    expect(await refused(['audit', 'verify', '--key', 'k'])).toContain('--key is for --checkpoint FILE');
    const both = ['audit', 'verify', '--checkpoint', 'c', '--key', 'k', '--digest', 'd'];
    expect(await refused(both)).toContain('--digest and --checkpoint cannot be combined');
  });
});

describe('restore --acknowledge', () => {
  test('records who acknowledged it and why, and halts; signing continues under a new name', async () => {
    const { cwd, append, sign, note, key } = await kept();
    const done = await rollcall(['restore', '--acknowledge', '--reason', 'copied from a snapshot'], { cwd });
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain('Recorded that the store was restored. Changes are halted until `rollcall resume`.');
    const shown = await rollcall(['audit', 'list', '--type', 'StoreRestored', '--json'], { cwd });
    expect(shown.stdout).toContain('copied from a snapshot');
    await append(1);
    const renamed = await sign();
    expect(renamed.split('\n')[0]).not.toBe(note.split('\n')[0]);
    expect((await verify(cwd)).code).toBe(0);
    // The verifier key from before has the old name, and the new checkpoint is signed under the new one.
    writeFileSync(join(cwd, 'renamed.txt'), renamed);
    const same = await verify(cwd, '--checkpoint', 'renamed.txt', '--key', key);
    expect([same.code, same.stderr]).toEqual([0, DONE]);
    expect(same.stdout).toMatch(
      /unchanged; .* since\. The given key \S+ is the same key; the log was renamed by the restore of 20\S+ \S+ UTC\./,
    );
    expect((await verify(cwd, '--checkpoint', 'c.txt', '--key', key)).code).toBe(0);
    writeFileSync(join(cwd, 'renamed.txt'), renamed.replace(/\n(\d+)\n/, '\n1\n'));
    expect((await verify(cwd, '--checkpoint', 'renamed.txt', '--key', key)).stdout).toContain(
      'The signature of the checkpoint is wrong',
    );
  });

  test.each([
    [[], 'name the backup file, or use --acknowledge'],
    [['b.db', '--reason', 'x'], '--reason can be used only with --acknowledge'],
    [['b.db', '--acknowledge', '--reason', 'x'], 'takes no backup file'],
    [['--acknowledge'], '--acknowledge needs --reason TEXT'],
    [['--acknowledge', '--reason', ' '], '--reason is empty'],
  ])('refuses %j', async (args, words) => {
    expect(await refused(['restore', ...args])).toContain(words);
  });
});

describe('audit verify', () => {
  test('verifies everything else if a checkpoint of the store cannot be read', async () => {
    const { cwd, publish } = await kept();
    await publish('garbage');
    const own = await verify(cwd);
    expect(own.code).toBe(1);
    expect(own.stdout).toContain(
      '✗ Audit log damaged: entry 2 of organization was edited after it was written (its checkpoint cannot be read).\n',
    );
    const compared = await verify(cwd, ...KEPT);
    expect(compared.code).toBe(1);
    expect(compared.stdout).toContain('(its checkpoint cannot be read).\n');
    expect(compared.stdout).toContain('✓ The store has all 3 entries that the checkpoint covers');
    const newest = await rollcall(['audit', 'checkpoint'], { cwd });
    expect(newest.code).toBe(1);
    expect(newest.stderr).toContain('entry 2 of organization: its checkpoint cannot be read (signed note: ');
  });

  test('reports the log and its newest checkpoint, and what it cannot show', async () => {
    const { cwd, sequence, append, sign } = await signedStore();
    const before = await verify(cwd);
    expect(before.stdout).not.toContain('ransparency log');
    expect(before.stdout).toMatch(/^- Not checked: .*:\n {4}rollcall audit checkpoint --help$/m);
    await sequence();
    await append(1);
    const unsigned = await verify(cwd);
    expect(unsigned.stdout).toContain('✓ Transparency log intact: 3 entries; 1 newer entry is not in it yet.\n');
    await sign();
    const signed = await verify(cwd);
    expect(signed).toMatchObject({ code: 0 });
    expect(signed.stdout).toMatch(
      /^✓ Transparency log intact: 4 entries; 1 newer entry is not in it yet\.\n✓ Matches the signed checkpoint of 2026-03-01 \d\d:\d\d UTC \(4 entries\)\.$/m,
    );
    expect(signed.stdout).toMatch(/^- Not checked: .*:\n {4}rollcall audit verify --checkpoint FILE --key KEY$/m);
    expect(verifyShape.parse(json(await verify(cwd, '--json'))).newestCheckpoint).toMatchObject({ size: 4 });
  });
});
