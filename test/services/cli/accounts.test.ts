import { expect, test } from 'vitest';
import * as z from 'zod';
import { ENROLL, json, place, refused, rollcall, world } from './support.ts';

const accountsShape = z.object({
  accounts: z.array(z.looseObject({ accountId: z.string(), name: z.string(), ou: z.string() })),
  total: z.number(),
  all: z.number(),
  counts: z.array(z.object({ status: z.string(), accounts: z.number() })),
});

/** A store after one scan, with half of the accounts drifted. */
async function scanned() {
  const { env, running } = await world({ drift: 0.5 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  // No AWS: the command reads the store alone.
  return { running, cwd, env, call: (...args: string[]) => rollcall(['accounts', ...args], { cwd }) };
}

test('accounts lists the worst first, without asking AWS, and counts add up', async () => {
  const { call, running } = await scanned();
  const text = await call();
  expect(text.code, text.stderr).toBe(0);
  const lines = text.stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^ACCOUNT +NAME +COMPUTE OPTIMIZER +AUTOMATION +AGE +OU +RULE$/);
  expect(lines[1]).toMatch(/^\d{12} {2}\S+ +Drifted /);
  expect(lines.at(-1)).toMatch(/^12 accounts: \d+ drifted, \d+ compliant, \d+ not applicable\.$/);
  const { accounts, all, counts, total } = accountsShape.parse(json(await call('--json')));
  expect([accounts.length, all, total]).toEqual([12, 12, 12]);
  expect(counts.reduce((sum, { accounts: n }) => sum + n, 0)).toBe(12);
  const inactive = running.sandbox.accounts().filter(({ state, computeOptimizer }) => {
    return state === 'ACTIVE' && computeOptimizer.status === 'Inactive';
  });
  expect(counts.find(({ status }) => status === 'Drifted')?.accounts).toBe(inactive.length);
});

test('filters ignore case, spaces and hyphens; names are globs; -o name prints ids only', async () => {
  const { call } = await scanned();
  const ids = async (...args: string[]) => (await call(...args, '-o', 'name')).stdout.trimEnd().split('\n');
  const drifted = await ids('--status', 'DRIFTED');
  expect(drifted.every((id) => /^\d{12}$/.test(id))).toBe(true);
  expect(await ids('--status', 'drifted, Needs-Attention', '--kind', 'Compute Optimizer')).toEqual(drifted);
  const { accounts } = accountsShape.parse(json(await call('--json')));
  const [first] = accounts;
  if (first === undefined) throw new Error('no account');
  expect(await ids('--name', `${first.name.slice(0, 4).toUpperCase()}*`)).toContain(first.accountId);
  expect(await ids('--ou', first.ou)).toContain(first.accountId);
  const nowhere = await call('--ou', '/Nope');
  expect(nowhere.stdout).toBe('None of 12 accounts matches.\n');
  expect(nowhere.stderr).toContain('warning: --ou "/Nope": no account is in an OU with this path or below it');
  expect((await call('--ou', first.ou)).stderr).not.toContain('warning');
  expect((await call('--rule', 'nothing')).stdout).toBe('None of 12 accounts matches.\n');
  const names = (await call('--sort', 'name')).stdout
    .split('\n')
    .slice(1, 13)
    .map((line) => line.slice(14).split(' ')[0]);
  expect(names).toEqual(names.toSorted());
});

test('-o wide has a line for each enrollment, -o csv a header and plain values', async () => {
  const { call } = await scanned();
  const wide = await call('--status', 'drifted', '-o', 'wide');
  expect(wide.stdout).toMatch(/^\d{12} .* Compute Optimizer +Drifted +Inactive → Active +\d+s +differs from policy$/m);
  const [header, line] = (await call('--status', 'drifted', '-o', 'csv')).stdout.split('\n');
  expect(header).toBe('accountId,accountName,ou,state,enrollment,status,observed,desired,rule,reason,since');
  expect(line).toMatch(
    /^\d{12},[^,]+,\/[^,]*,ACTIVE,computeOptimizer,Drifted,Inactive,Active,defaults,statusDiffers,2\d{3}-/,
  );
});

test('--limit lists the first accounts of the order, and says how many there are', async () => {
  const { call } = await scanned();
  const names = (await call('-o', 'name')).stdout;
  const limited = await call('-o', 'name', '--limit', '2');
  expect(limited.stdout).toBe(
    names
      .split(/(?<=\n)/)
      .slice(0, 2)
      .join(''),
  );
  const all = names.trim().split('\n').length;
  expect(limited.stderr).toContain(`… and ${all - 2} more accounts: raise --limit\n`);
  const table = await call('--limit', '2');
  expect(table.stdout.match(/^\d{12} /gm)).toHaveLength(2);
  expect(table.stdout).toContain(`\n${all} accounts: `);
  const found = accountsShape.parse(json(await call('--limit', '2', '--json')));
  expect([found.accounts.length, found.total]).toEqual([2, all]);
  expect((await call('--limit', String(all))).stderr).not.toContain('more');
});

test.each([
  [['--limit', '0'], '--limit "0"'],
  [['--status', 'broken'], '--status "broken" is not a status; expected needs-attention, '],
  [['--kind', 'compute'], '--kind "compute" is not an enrollment kind; expected compute-optimizer, automation'],
  [['--ou', 'Workloads'], '--ou "Workloads" is not a path'],
  [['--sort', 'worst'], '--sort "worst": expected one of status, age, name, ou, account'],
])('%j is refused', async (args, words) => {
  expect(await refused(['accounts', ...args])).toContain(words);
});

test('account and audit list accept the exact name of an account', async () => {
  const { running, cwd } = await scanned();
  const run = (...args: string[]) => rollcall(args, { cwd });
  const [first] = running.sandbox.accounts();
  if (first === undefined) throw new Error('no account');
  const [byName, entries, unknown] = await Promise.all([
    run('account', first.name, '--json'),
    run('audit', 'list', '--account', first.name, '--json'),
    run('account', 'nobody'),
  ]);
  expect(z.looseObject({ accountId: z.string() }).parse(json(byName)).accountId).toBe(first.accountId);
  const found = z
    .object({ entries: z.array(z.looseObject({ accountId: z.string().nullable() })) })
    .parse(json(entries));
  expect(new Set(found.entries.map(({ accountId }) => accountId))).toEqual(new Set([first.accountId]));
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('account "nobody": no account has this id or name in the last scan');
});
