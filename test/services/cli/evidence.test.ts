import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { zipEntries } from '../../support/zip.ts';
import { history } from '../../unit/app/queries/evidence/history.ts';
import { evidenceShape } from './audit-shapes.ts';
import { json, place, refused, rollcall } from './support.ts';

/** A store with a short history. */
async function storePlace(): Promise<string> {
  const cwd = place();
  const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false });
  onTestFinished(() => store.close());
  await store.ledger.append(history());
  await store.close();
  return cwd;
}

const PERIOD = ['--since', '2026-03-01', '--until', '2026-03-02'];

describe('invalid arguments are rejected before anything is opened', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['no beginning', ['--out', 'e.zip'], ['--since']],
    ['no file', ['--since', '2026-01-01'], ['--out']],
    ['an invalid time', ['--since', 'spring', '--out', 'e.zip'], ['--since "spring"', '2026-03-01']],
    ['an empty period', ['--since', '2026-01-02', '--until', '2026-01-01', '--out', 'e.zip'], ['--until', 'later']],
    ['standard output', ['--since', '2026-01-01', '--out', '-'], ['--out -', 'expected the name of a file']],
    ['a directory', ['--since', '2026-01-01', '--out', '/', '--force'], ['/ is a directory', 'name a file in it']],
    ['a future beginning', ['--since', '2999-01-01', '--out', 'e.zip'], ['--until', 'is not after --since']],
    ['an empty period of one time', ['--since', '2026-01-01', '--until', '2026-01-01', '--out', 'e.zip'], ['later']],
    ['a future end', ['--since', '2026-01-01', '--until', '2999-01-01', '--out', 'e.zip'], ['is in the future']],
  ])('%s', async (_, args, words) => {
    const message = await refused(['evidence', ...args]);
    for (const word of words) expect(message).toContain(word);
  });
});

describe('evidence', () => {
  test('writes a complete ZIP file, says what it proves, and replaces no file without --force', async () => {
    const cwd = await storePlace();
    const call = (...args: string[]) => rollcall(['evidence', ...PERIOD, ...args], { cwd });
    const first = await call('--out', 'e.zip');
    expect(first).toMatchObject({ code: 0 });
    const bytes = readFileSync(join(cwd, 'e.zip'));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(first.stdout).toBe(
      'Wrote e.zip: 9 entries from 2026-03-01 00:00 UTC to 2026-03-02 00:00 UTC.\n' +
        `No signed checkpoint proves them.\nSHA-256 ${sha256}\n`,
    );
    expect(first.stderr).toContain('warning: The store has no signed checkpoint');
    expect([...zipEntries(bytes).keys()]).toContain('entries.ndjson');
    const again = await call('--out', 'e.zip');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('e.zip already exists; name another file with --out, or replace it with --force');
    writeFileSync(join(cwd, 'e.zip'), 'old');
    const forced = await call('--out', 'e.zip', '--force', '--json');
    expect(evidenceShape.parse(json(forced))).toMatchObject({ file: 'e.zip', sha256, checkpoint: null });
    expect(readFileSync(join(cwd, 'e.zip')).equals(bytes)).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['.rollcall', 'e.zip']);
  });

  test('says that a period has no entries, when the first one was written, and how to sign a checkpoint', async () => {
    const cwd = await storePlace();
    const args = ['evidence', '--since', '2025-01-01', '--until', '2025-02-01', '--out', 'e.zip'];
    const { code, stderr } = await rollcall(args, { cwd });
    expect(code).toBe(0);
    const text = stderr.replace(/\s+/g, ' ');
    expect(text).toContain('warning: The period has no entries, so the file shows nothing about it.');
    expect(text).toMatch(/The first entry of the audit log is of 2026-\d\d-\d\d \d\d:\d\d UTC\./);
    expect(text).toContain('To sign one: rollcall scan with ROLLCALL_CHECKPOINT_KEY set');
  });

  test('leaves no file behind if it cannot be written, or there is no store', async () => {
    const cwd = await storePlace();
    const nowhere = await rollcall(['evidence', ...PERIOD, '--out', 'gone/e.zip'], { cwd });
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toContain('gone/e.zip cannot be written (ENOENT): there is no such directory');
    const empty = place();
    const missing = await rollcall(['evidence', ...PERIOD, '--out', 'e.zip'], { cwd: empty });
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('there is no store');
    expect(readdirSync(empty)).toEqual([]);
  });
});
