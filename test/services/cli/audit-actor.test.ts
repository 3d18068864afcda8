import { expect, test } from 'vitest';
import { entryTitle } from '../../../shared/domain/ledger/entry-titles.ts';
import { ENTRY_TYPES } from '../../../shared/domain/ledger/entry-types.ts';
import { auditShape } from './audit-shapes.ts';
import { runInProcess } from './in-process.ts';
import { as, bare, ENROLL, json, place, rollcall, world } from './support.ts';

test('audit list --actor takes the name that the list prints, its last part, and the full name', async () => {
  const { env, running } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const [member] = running.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
  await rollcall(['halt'], { cwd, env: { ...env, ...as(member?.accountId ?? '') } });
  const entries = async (...args: string[]) =>
    auditShape.parse(json(await rollcall(['audit', 'list', '--json', ...args], { cwd }))).entries;
  const all = await entries();
  const [full = ''] = all.filter(({ type }) => type === 'ScanStarted').map(({ actor }) => actor);
  expect(full).toMatch(/^arn:aws:/);
  const expected = all.filter(({ actor }) => actor === full).map(({ id }) => id);
  expect(expected.length).toBeLessThan(all.length);
  expect((await entries('--actor', full)).map(({ id }) => id)).toEqual(expected);

  const twice = await rollcall(['audit', 'list', '--actor', 'USER/sandbox'], { cwd });
  expect(twice.code).toBe(1);
  expect(twice.stderr).toMatch(
    /^error: --actor "USER\/sandbox": 2 actors have this name\n {2}Use the full name: arn:aws:\S+, arn:aws:\S+\n/,
  );
});

test('audit list --actor warns if no entry has such an actor', async () => {
  const { env } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const call = (actor: string) => rollcall(['audit', 'list', '--actor', actor, '--type', 'ScanStarted'], { cwd });
  const { code, stdout, stderr } = await call('priya.raman');
  expect([code, stdout]).toEqual([0, 'No entry matches.\n']);
  expect(stderr).toContain('warning: --actor "priya.raman": no entry has an actor of this name.');
  for (const name of ['user/sandbox', 'sandbox']) {
    const found = await call(name);
    expect([found.stderr.includes('warning'), found.stdout]).toEqual([false, expect.stringContaining('Scan started')]);
  }
});

test('audit list --type takes the name that the list prints, in any case, and the code of the type', async () => {
  const { env } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  await rollcall(['halt'], { cwd });
  const list = (type: string) => rollcall(['audit', 'list', '--json', '--type', type], { cwd });
  const typesOf = async (type: string) => auditShape.parse(json(await list(type))).entries.map((entry) => entry.type);
  for (const type of ['EnforcementHalted', 'Halted', 'halted'])
    expect(await typesOf(type), type).toEqual(['EnforcementHalted']);
  expect(new Set(await typesOf('drift detected'))).toEqual(new Set(['DriftDetected']));
  const unknown = await rollcall(['audit', 'list', '--type', 'Haltd'], { cwd });
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('--type "Haltd": expected one of ')]);
  const titles = ENTRY_TYPES.map((type) => entryTitle(type).toLowerCase());
  expect(new Set(titles).size).toBe(titles.length);
});

test('audit list has the id of each entry at 80 columns, too', async () => {
  const { env } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const shown = await runInProcess(['audit', 'list'], { cwd, env: bare({ cwd }), terminal: { columns: 80 } });
  const [, id = ''] = /^\d{4}-\d\d-\d\d \d\d:\d\d {2}([0-9A-Z]{8}) {2}/m.exec(shown.stdout) ?? [];
  expect((await rollcall(['audit', 'show', id], { cwd })).code).toBe(0);
});

test('audit list -o name prints ids, and -o wide adds seconds, the account id and full actors', async () => {
  const { env } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const list = (...args: string[]) => rollcall(['audit', 'list', '--limit', '3', ...args], { cwd });
  const { entries, next } = auditShape.parse(json(await list('--json')));
  const names = await list('-o', 'name');
  expect(names.stdout).toBe(entries.map(({ id }) => `${id}\n`).join(''));
  expect(names.stderr).toContain(`--cursor ${next}`);
  const wide = await list('-o', 'wide', '--type', 'DriftDetected');
  expect(wide.stdout).toMatch(/^20\S+ \d\d:\d\d:\d\d {2}\d{12} {2}\S+ {2}Drift detected .* seen by arn:aws:/m);
});

test('audit as-of has the names of accounts', async () => {
  const { env, running } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const [member] = running.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
  const { stdout } = await rollcall(['audit', 'as-of', new Date().toISOString()], { cwd });
  expect(stdout).toContain(`\n${member?.accountId}  ${member?.name} `);
});

test('audit list --actor counts only the actors of the period', async () => {
  const { env, running } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  await rollcall(['scan'], { cwd, env });
  const list = (...args: string[]) => rollcall(['audit', 'list', '--actor', 'sandbox', ...args], { cwd });
  const between = new Date().toISOString();
  const [member] = running.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
  await rollcall(['halt'], { cwd, env: { ...env, ...as(member?.accountId ?? '') } });
  expect((await list()).stderr).toContain('2 actors have this name');
  const before = await list('--until', between);
  expect([before.code, before.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  expect(before.stdout).toContain('Scan started');
  const { code, stderr } = await list('--until', '2020-01-01');
  expect([code, stderr]).toEqual([0, expect.stringContaining('no entry of this period has an actor of this name')]);
});
