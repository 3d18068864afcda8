import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeDigest } from '../../../shared/app/ledger/digest.ts';
import { asOfSchema } from '../../../shared/app/queries/audit/as-of.ts';
import { reportSchema } from '../../../shared/app/queries/audit/report.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import type { Facet } from '../../../shared/domain/enrollment/condition.ts';
import { account, chainOf, FACET, sealAll } from '../../contract/samples.ts';
import { verifyShape } from './audit-shapes.ts';
import { errorShape } from './shapes.ts';
import { DONE, ENROLL, json, MAIN, place, refused, rollcall, world } from './support.ts';

/** A store with a ledger of three accounts, and its digest. */
async function ledgerPlace(many = 0, facet: Facet = FACET) {
  const cwd = place();
  const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false });
  onTestFinished(() => store.close());
  const facets = { computeOptimizer: facet };
  for (const n of [1, 2, 3]) {
    await store.ledger.append(
      sealAll(account(n), [
        { type: 'AccountJoined', enrollment: null, detail: { facets }, at: '2026-01-01T00:00:00.000Z' },
      ]),
    );
  }
  if (many > 0) await store.ledger.append(chainOf(account(9), many));
  const clock = { now: () => Date.parse('2026-01-02T00:00:00Z'), sleep: async () => undefined };
  const digest = await writeDigest({ ...store, clock, newId: () => 'digest-1', actor: 'test' });
  await store.close();
  return { cwd, digest };
}

describe('invalid arguments are rejected before anything is opened', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['an invalid time', ['audit', 'as-of', 'yesterday'], ['as-of "yesterday"', '2026-03-01']],
    ['a day that does not exist', ['audit', 'as-of', '2026-02-30'], ['as-of "2026-02-30"']],
    ['an unknown format', ['audit', 'export', '--format', 'xml'], ['--format "xml"', 'json, csv, ndjson, ocsf']],
    ['an unknown type', ['audit', 'export', '--type', 'Drift'], ['--type "Drift"']],
    ['an invalid account id', ['audit', 'export', '--account', '12'], ['--account "12"', '12 digits']],
    ['until before since', ['audit', 'list', '--since', '2026-03-02', '--until', '2026-03-01'], ['--until', 'later']],
    ['the same in export', ['audit', 'export', '--since', '2026-03-01', '--until', '2026-03-01'], ['--until', 'later']],
    ['the same in report', ['audit', 'report', '--since', '2026-03-02', '--until', '2026-03-01'], ['--until', 'later']],
    ['an invalid interval', ['audit', 'report', '--interval', 'often'], ['--interval "often"', '7d']],
    ['zero lines', ['audit', 'report', '--top', '0'], ['--top "0"', 'from 1 to']],
    ['a missing digest file', ['audit', 'verify', '--digest', '/nowhere/at/all'], ['/nowhere/at/all', 'no such file']],
  ])('%s', async (_, args, words) => {
    const message = await refused(args);
    for (const word of words) expect(message).toContain(word);
  });
});

describe('audit', () => {
  test('as-of, report and export print the documented JSON', async () => {
    const { cwd } = await ledgerPlace();
    const call = (...args: string[]) => rollcall(['audit', ...args], { cwd });
    const [then, before, ahead, table, report, text, many] = await Promise.all([
      call('as-of', '2026-01-01', '--json'),
      call('as-of', '2025-12-31', '--json'),
      call('as-of', '2999-01-01', '--json'),
      call('as-of', '2026-01-01'),
      call('report', '--since', '2025-12-31', '--until', '2026-01-05', '--json'),
      call('report', '--since', '2025-12-31', '--until', '2026-01-05'),
      call('report', '--since', '2020-01-01', '--interval', '1m'),
    ]);
    const accounts = asOfSchema.parse(json(then)).accounts;
    expect(accounts).toHaveLength(3);
    expect(accounts[0]).toMatchObject({ accountId: account(1), enrollment: 'computeOptimizer', verdict: 'Drifted' });
    expect(accounts[0]).toMatchObject({ observed: 'Inactive', desired: 'Active', since: '2026-01-01T00:00:00.000Z' });
    expect(asOfSchema.parse(json(before))).toMatchObject({ accounts: [], pruned: [], future: false });
    expect(asOfSchema.parse(json(ahead))).toMatchObject({ accounts, future: true });
    expect(ahead.stderr).toContain('2999-01-01 00:00 UTC is in the future');
    expect(table.stdout).toContain('At 2026-01-01 00:00 UTC: Drifted 3');
    const points = reportSchema.parse(json(report)).points;
    expect(points.map((point) => point.compliance.computeOptimizer.managed)).toEqual([0, 3, 3, 3, 3, 3]);
    expect(text.stdout).toContain('Compliant at the end: Compute Optimizer 0.0% (0/3)');
    expect(many).toMatchObject({ code: 1, stdout: '' });
    expect(many.stderr).toContain('use a longer interval');
  });

  test('a report whose interval is below a minute has times with seconds', async () => {
    const { cwd } = await ledgerPlace();
    const range = ['--since', '2026-01-01T00:00:00Z', '--until', '2026-01-01T00:01:00Z'];
    const report = (interval: string) =>
      rollcall(['audit', 'report', ...range, '--interval', interval], { cwd }).then(({ stdout }) => stdout);
    const short = await report('30s');
    expect(short).toContain('From 2026-01-01 00:00:00 UTC to 2026-01-01 00:01:00 UTC\n');
    expect(short.match(/^2026-01-01 00:00:30 UTC /gm)).toHaveLength(1);
    expect(await report('1m')).toContain('From 2026-01-01 00:00 UTC to 2026-01-01 00:01 UTC\n');
  });

  test('as-of shows that the policy does not manage an enrollment', async () => {
    const { cwd } = await ledgerPlace(0, { ...FACET, verdict: 'Unmanaged', desired: null });
    const { stdout } = await rollcall(['audit', 'as-of', '2026-01-01'], { cwd });
    expect(stdout).toMatch(/Unmanaged +Inactive +– +2026-01-01/);
  });

  test('an export file is complete or does not exist', async () => {
    const { cwd } = await ledgerPlace();
    const call = (...args: string[]) => rollcall(['audit', 'export', ...args], { cwd });
    expect(await call('--format', 'csv', '--out', 'e.csv')).toMatchObject({ code: 0, stdout: '4 entries in e.csv\n' });
    expect(readFileSync(join(cwd, 'e.csv'), 'utf8').split('\r\n')).toHaveLength(1 + 4 + 1);
    mkdirSync(join(cwd, 'd'));
    const lines = await call('--format', 'csv', '--json');
    expect(lines.code).toBe(1);
    expect(errorShape.parse(json(lines)).error.message).toContain('Add --out FILE');
    const [again, forced, nowhere, directory] = await Promise.all([
      call('--out', 'e.csv'),
      call('--out', 'f.json', '--force', '--json'),
      call('--out', 'gone/e.json'),
      call('--out', 'd', '--force'),
    ]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('EEXIST');
    expect(json(forced)).toEqual({ file: 'f.json', format: 'json', entries: 4 });
    expect(nowhere.stderr).toContain('gone/e.json cannot be written (ENOENT): there is no such directory');
    expect(directory.code).toBe(1);
    expect(readdirSync(cwd).sort()).toEqual(['.rollcall', 'd', 'e.csv', 'f.json']);
  });

  test('an export whose reader closes the pipe ends without an error', async () => {
    const { cwd } = await ledgerPlace(3_000);
    const line = `{ "${process.execPath}" "${MAIN}" audit export --format ndjson; echo "ended $?" >&2; } | head -c 10`;
    const { stderr, stdout } = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8' });
    expect(stdout).toHaveLength(10);
    expect(stderr).toBe(`${DONE}ended 0\n`);
  });

  test('a slow reader receives all of a long export', async () => {
    const { cwd } = await ledgerPlace(3_000);
    const line = `"${process.execPath}" "${MAIN}" audit export --format ndjson | { sleep 0.3; wc -l; }`;
    const { stdout } = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8' });
    expect(stdout.trim()).toBe('3004');
  });

  test('verify compares the store with the digest of an event', async () => {
    const { cwd, digest } = await ledgerPlace();
    const event = { source: 'rollcall', 'detail-type': 'Digest Published', detail: digest };
    const root = digest?.detail?.digest?.root ?? '';
    writeFileSync(join(cwd, 'events.ndjson'), `${JSON.stringify(event)}\n`);
    writeFileSync(join(cwd, 'none.json'), '{"a":1}');
    const call = (...args: string[]) => rollcall(['audit', 'verify', ...args], { cwd });
    const [whole, file, byRoot, unknown, none] = await Promise.all([
      call('--json'),
      call('--digest', 'events.ndjson'),
      call('--digest', root, '--json'),
      call('--digest', 'f'.repeat(64), '--json'),
      call('--digest', 'none.json'),
    ]);
    expect(verifyShape.parse(json(whole))).toMatchObject({ ok: true, digests: [{ outcome: 'matches' }] });
    expect(file).toMatchObject({ code: 0 });
    expect(file.stdout).toContain(`✓ Matches the digest of 2026-01-02 (${root.slice(0, 12)}).`);
    expect(verifyShape.parse(json(byRoot))).toMatchObject({ ok: true, digests: [{ root, outcome: 'matches' }] });
    expect(unknown.code).toBe(1);
    expect(errorShape.parse(json(unknown)).error).toMatchObject({ code: 'DigestUnknown' });
    expect(none.stderr).toContain('there is no digest in that file');
    expect(existsSync(join(cwd, '.rollcall'))).toBe(true);
  });

  test('apply prunes by the retention of the policy, and writes the digest of the day', async () => {
    const { env } = await world();
    const cwd = place({ 'p.yaml': `${ENROLL}retention: 1d\n` });
    const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false });
    await store.ledger.append(chainOf(account(9), 5));
    await store.close();
    expect((await rollcall(['apply', '--policy', 'p.yaml', '--yes', '--wait', '1s'], { cwd, env })).code).toBe(0);
    const [digests, pruned, verified] = await Promise.all([
      rollcall(['audit', 'list', '--type', 'DigestPublished', '--json'], { cwd }),
      rollcall(['audit', 'list', '--account', account(9), '--json'], { cwd }),
      rollcall(['audit', 'verify', '--json'], { cwd }),
    ]);
    expect(json(digests)).toMatchObject({ entries: [{ accountId: null }], next: null });
    expect(json(pruned)).toMatchObject({
      entries: [{ type: 'ChainPruned', detail: { checkpoint: { through: { seq: 5 } } } }],
    });
    expect(verifyShape.parse(json(verified))).toMatchObject({ ok: true, pruned: 5 });
  });
});
