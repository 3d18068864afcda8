import { once } from 'node:events';
import { expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { bare, ENROLL, ended, place, refused, rollcall, said, start, world } from './support.ts';

/** A directory with a store of one scan, which found drift. */
async function scanned() {
  const { env } = await world({ drift: 0.5 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
  return { cwd, env };
}

test('status --watch repaints a terminal until q is typed', async () => {
  const { cwd } = await scanned();
  const terminal = { columns: 100, answers: ['q'] };
  const { code, screen } = await runInProcess(['status', '--watch'], { cwd, env: bare({ cwd }), terminal });
  expect(code).toBe(2);
  expect(screen.startsWith('\u001b[H')).toBe(true);
  expect(screen).toContain('open drifts in');
  expect(screen).toMatch(/Scan completed/);
  expect(screen).toContain('q ends it.');
});

test('status --watch prints a line for each change if it is not a terminal', async () => {
  const { cwd, env } = await scanned();
  const watching = start(['status', '--watch'], { cwd, env });
  const end = ended(watching);
  await said(watching, 'open drifts in');
  expect((await rollcall(['halt', '--reason', 'invoice'], { cwd })).code).toBe(0);
  await said(watching, 'HALTED; ');
  watching.kill('SIGTERM');
  const { code, stdout } = await end;
  expect(code).toBe(143);
  expect(stdout.trimEnd().split('\n')).toHaveLength(2);
});

test('audit list --follow prints new entries as they are recorded', async () => {
  const { cwd, env } = await scanned();
  const following = start(['audit', 'list', '--follow', '--limit', '2'], { cwd, env });
  const end = ended(following);
  await said(following, 'Scan completed');
  expect((await rollcall(['halt', '--reason', 'invoice'], { cwd })).code).toBe(0);
  await said(following, 'Halted');
  following.kill('SIGINT');
  const { code, stdout } = await end;
  expect(code).toBe(130);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^TIME \(UTC\) +ACCOUNT +EVENT/);
  // The titles, the two newest entries, and the halt.
  expect(lines).toHaveLength(4);
});

test('audit list --follow ends at the first entry after its reader has closed the pipe', async () => {
  const { cwd } = await scanned();
  const following = start(['audit', 'list', '--follow', '--limit', '2'], { cwd });
  await said(following, 'Scan completed');
  const exited = once(following, 'exit');
  following.stdout?.destroy();
  expect((await rollcall(['halt', '--reason', 'invoice'], { cwd })).code).toBe(0);
  expect(await exited).toEqual([0, null]);
});

test.each([
  [['status', '--watch', '--json'], 'status --watch has no --output json'],
  [['audit', 'list', '--follow', '--json'], 'audit list --follow has no end'],
])('%j is refused', async (args, words) => {
  expect(await refused(args)).toContain(words);
});
