import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ENROLL, place, rollcall, world } from './support.ts';

const ALERT = ENROLL.replace('Active }', 'Active, mode: alert }');

/** A store after one scan. Nearly every account differs from the policy. */
async function scanned(policy: string) {
  const { env, running } = await world({ drift: 1, accounts: 40 });
  const cwd = place({ 'rollcall.yaml': policy });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  const all = running.sandbox.accounts();
  const [{ ou } = { ou: '' }] = all.filter((account) => account.ou.startsWith('/Workloads/'));
  const active = all.filter(({ state }) => state === 'ACTIVE');
  const drifted = active.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
  const inOu = active.filter((account) => account.ou === ou).length;
  const call = async (...args: string[]) => {
    const { code, stdout, stderr } = await rollcall(args, { cwd, env });
    expect(code, stderr).toBe(0);
    return stdout.replace(/\s+/g, ' ').trim();
  };
  return { call, ou, inOu, all: all.length, active: active.length, drifted: drifted.length };
}

test('resume all counts the accounts that were suspended, and reports drift of mode alert as such', async () => {
  const { call, ou, inOu } = await scanned(ALERT);
  expect(await call('suspend', `ou:${ou}`)).toContain(`Suspended ${inOu} accounts (ou:${ou}).`);
  expect(await call('resume', 'all')).toBe(
    `Resumed ${inOu} accounts (ou:${ou}). ${inOu} drifts there, reported only (mode: alert).`,
  );
});

test('suspend all and resume all count the same accounts: the active ones', async () => {
  const { call, active, all, drifted } = await scanned(ENROLL);
  expect(all).toBeGreaterThan(active);
  expect(await call('suspend', 'all')).toContain(`Suspended ${active} accounts (all).`);
  expect(await call('resume', 'all')).toBe(
    `Resumed ${active} accounts (all). ${drifted} drifts there; the next run fixes them.`,
  );
});

test('resume counts neither accounts that stay suspended by another selector nor exempt ones', async () => {
  const later = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const { env, running } = await world({ drift: 1, accounts: 40 });
  const [first, second, third] = running.sandbox.accounts().filter(({ ou }) => ou === '/Workloads/Dev');
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few accounts');
  const until = `until: ${later}, reason: freeze, owner: finops@example.com`;
  const cwd = place({
    'rollcall.yaml': `${ENROLL}exemptions: [{ accounts: ["${first.accountId}"], enrollment: computeOptimizer, ${until} }]\n`,
  });
  const scan = await rollcall(['scan'], { cwd, env });
  expect(scan.code, scan.stderr).toBe(2);
  const call = async (...args: string[]) => (await rollcall(args, { cwd, env })).stdout.replace(/\s+/g, ' ').trim();
  await call('suspend', second.accountId);
  const inOu = running.sandbox
    .accounts()
    .filter(({ ou, state }) => ou === '/Workloads/Dev' && state === 'ACTIVE').length;
  await call('suspend', 'ou:/Workloads/Dev');
  expect(await call('resume', 'ou:/Workloads/Dev')).toBe(
    `Resumed ${inOu - 1} accounts (ou:/Workloads/Dev). 1 account there is still suspended by another selector. ` +
      `${inOu - 2} drifts there; the next run fixes them.`,
  );
});

test('suspend names the suspension that it replaces', async () => {
  const { call, ou } = await scanned(ENROLL);
  const first = await call('suspend', `ou:${ou}`, '--reason', 'incident 7');
  expect(first).not.toContain('replaces');
  expect(await call('suspend', `ou:${ou}`, '--until', '2h')).toMatch(
    /\. It replaces a suspension without an end \(set 20\d\d-\d\d-\d\d \d\d:\d\d UTC by .+: "incident 7"\)\. /,
  );
  expect(await call('suspend', `ou:${ou}`)).toMatch(
    / It replaces a suspension until 20\d\d-\d\d-\d\d \d\d:\d\d UTC \(/,
  );
});

test('doctor warns of a halt, and resume names apply only if serve is not running', async () => {
  const { call } = await scanned(ENROLL);
  await call('halt', '--reason', 'incident 7');
  expect(await call('doctor')).toMatch(
    / ! Changes halted since \S+ \S+ UTC by sandbox \(incident 7\)\. No process makes changes Fix: rollcall resume .* 1 warning, 0 failed/,
  );
  expect(await call('resume', '--yes')).toContain(
    'Changes are allowed again. If serve is running, it makes them; if not, run: rollcall apply',
  );
  expect(await call('doctor')).not.toContain('Changes');
});

test('resume works although the policy file cannot be read, and then promises no fix', async () => {
  const { env } = await world({ drift: 1 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  const warnings: string[] = [];
  for (const make of [
    () => mkdirSync(join(cwd, 'rollcall.yaml')),
    () => writeFileSync(join(cwd, 'rollcall.yaml'), '{'),
  ]) {
    rmSync(join(cwd, 'rollcall.yaml'), { recursive: true });
    make();
    await rollcall(['suspend', 'all'], { cwd });
    const { code, stdout, stderr } = await rollcall(['resume', 'all'], { cwd });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ \d+ drifts there, as of the last scan\.\n$/)]);
    warnings.push(stderr);
  }
  expect(warnings).toEqual([
    expect.stringMatching(/^warning: continuing without a policy: rollcall\.yaml is a directory/),
    expect.stringMatching(
      /^warning: continuing without a policy: rollcall\.yaml has 1 error \(rollcall policy validate rollcall\.yaml shows the errors\)\n/,
    ),
  ]);
});

test('resume takes the policy that --policy or ROLLCALL_POLICY names', async () => {
  const { env } = await world({ drift: 1 });
  const cwd = place({ 'rollcall.yaml': ENROLL, 'alert.yaml': ALERT });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  const resumed = async (args: readonly string[], over: Readonly<Record<string, string>> = {}) => {
    await rollcall(['suspend', 'all'], { cwd });
    return rollcall(['resume', 'all', ...args], { cwd, env: { ...env, ...over } });
  };
  expect((await resumed([])).stdout).toContain('the next run fixes them');
  expect((await resumed(['--policy', 'alert.yaml'])).stdout).toContain('reported only (mode: alert)');
  expect((await resumed([], { ROLLCALL_POLICY: 'alert.yaml' })).stdout).toContain('reported only (mode: alert)');
  expect(await resumed(['--policy', 'gone.yaml'])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^warning: continuing without a policy: gone\.yaml cannot be read/),
  });
});

test('resume of a selector promises no fix while all changes are halted', async () => {
  const { call } = await scanned(ENROLL);
  await call('suspend', 'all');
  await call('halt');
  expect(await call('resume', 'all')).toMatch(
    /^Resumed \d+ accounts \(all\)\. \d+ drifts there\. All changes are halted; to allow them: rollcall resume$/,
  );
});
