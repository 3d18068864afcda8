import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Output } from '../../../services/cli/ui/output.ts';
import { CHILD_ENV } from '../../support/children.ts';
import { applyShape, statusShape } from './shapes.ts';
import {
  allEnrolled,
  ENROLL,
  type Ended,
  ended,
  expectNoStack,
  json,
  MAIN,
  place,
  rollcall,
  said,
  world,
} from './support.ts';

/** Runs the CLI in a shell, so that the script can redirect its streams. `$RC` is the command. One that never ends fails its test by the test's timeout. */
function shell(script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const rc = `"${process.execPath}" "${MAIN}"`;
  const child = spawn('bash', ['-c', script.replaceAll('$RC', rc)], {
    cwd,
    env: { ...process.env, ...CHILD_ENV, ...env },
    detached: true,
  });
  // The whole group, because the command may outlive its shell.
  onTestFinished(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  });
  return ended(child);
}

const FULL = 'error: stdout cannot be written (ENOSPC): the disk is full\n';
const STDOUT_FULL = `${FULL}rollcall: exit code 1 (error)\n`;
const DONE = 'rollcall: exit code 0 (done)\n';
/** Of `policy validate` where no scan has been made. */
const VALIDATED = `note: not compared with the organization: no scan yet (rollcall scan)\n${DONE}`;

describe('a failing stderr never stops enforcement', () => {
  test.each(['2>/dev/full', '--verbose 2>/dev/full'])('apply %s makes every change', async (how) => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await shell(`$RC apply --yes --json ${how}`, cwd, env);
    expect(result.code).toBe(0);
    expect(applyShape.parse(json(result)).changes.succeeded).toBeGreaterThan(0);
    expect(running.sandbox.calls().some(({ operation }) => operation === 'UpdateEnrollmentStatus')).toBe(true);
  });

  test('apply whose stderr reader has closed the pipe makes every change', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await shell(
      '{ $RC apply --yes --verbose 2>&1 >out.txt; echo "ended $?" >code.txt; } | true',
      cwd,
      env,
    );
    expect(result.code).toBe(0);
    const { stdout } = await shell('cat code.txt', cwd);
    expect(stdout).toBe('ended 0\n');
  });

  test('serve 2>/dev/full remediates, and ends with 0 on SIGTERM', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const converged = allEnrolled(running);
    const rc = `exec "${process.execPath}" "${MAIN}" serve --port 0 --json 2>/dev/full`;
    const child = spawn('bash', ['-c', rc], { cwd, env: { ...process.env, ...CHILD_ENV, ...env } });
    onTestFinished(() => void child.kill('SIGKILL'));
    const result = ended(child);
    // The daemon's stderr is lost, so the test observes the organization to see when the work is done.
    expect(await Promise.race([converged, result])).toBe('converged');
    child.kill('SIGTERM');
    expect(await result).toMatchObject({ code: 0, stdout: expect.stringContaining('"worked"') });
  });

  test('notes resume when a full disk has room again', () => {
    const { out, err, fail, written } = sinks();
    const rescued: string[] = [];
    let full = true;
    const output = new Output(out, err, { json: false, color: 'never' }, (text) => {
      if (full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      rescued.push(text);
    });
    fail.err('ENOSPC');
    output.note('lost');
    full = false;
    output.note('kept');
    expect([rescued, written.err]).toEqual([['kept\n'], '']);
  });

  test('a closed pipe is not written to again', () => {
    const { out, err, fail } = sinks();
    const output = new Output(out, err, { json: false, color: 'never' }, () => {
      throw new Error('written again');
    });
    fail.err('EPIPE');
    output.note('lost');
    expect(output.unread.aborted).toBe(false);
  });
});

describe('a failing stdout causes one line on stderr and exit 1', () => {
  test('in each command', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    await rollcall(['apply', '--yes', '--wait', '0s'], { cwd, env });
    const commands = [
      'plan',
      'plan --json',
      'policy schema',
      'status',
      '--help',
      'audit export --format csv',
      'audit list',
    ];
    for (const args of commands) {
      const result = await shell(`$RC ${args} 2>err.txt >/dev/full`, cwd, env);
      const stderr = readFileSync(join(cwd, 'err.txt'), 'utf8');
      expect([args, result.code]).toEqual([args, 1]);
      // Neither help nor a JSON document ends with the line about the exit code.
      const end = /^--help|--json$/.test(args) ? FULL : STDOUT_FULL;
      expect(stderr.endsWith(end), stderr).toBe(true);
      expect(stderr.split('\n').filter((line) => line.startsWith('error'))).toHaveLength(1);
      expectNoStack({ ...result, stderr });
    }
  });

  test('apply >/dev/full makes and records its changes first', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await shell('$RC apply --yes >/dev/full', cwd, env);
    expect(result.code).toBe(1);
    expect(result.stderr.endsWith(STDOUT_FULL), result.stderr).toBe(true);
    const status = statusShape.parse(json(await rollcall(['status', '--json'], { cwd })));
    expect(status.summary.computeOptimizer['Drifted']).toBe(0);
  });

  test('a sandbox whose ready line cannot be written ends', async () => {
    const result = await shell('$RC sandbox --port 0 --accounts 5 >/dev/full', place({}));
    expect(result).toMatchObject({ code: 1, stderr: STDOUT_FULL });
  });

  test('if both streams fail, the command exits 1', async () => {
    const cwd = place();
    expect(await shell('$RC policy schema >/dev/full 2>/dev/full', cwd)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: '',
    });
  });

  test('a closed pipe is not an error: no message, and the exit code of the command', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const script = '{ $RC policy schema; echo "ended $?" >&2; } | head -c 1';
    expect(await shell(script, cwd)).toMatchObject({ stdout: '{', stderr: `${DONE}ended 0\n` });
  });
});

describe('input that is not a regular file is rejected', () => {
  const withPolicy = { 'rollcall.yaml': ENROLL };
  const fifo = (cwd: string): string => {
    expect(spawnSync('mkfifo', [join(cwd, 'fifo')]).status).toBe(0);
    return 'fifo';
  };

  test.each([
    'policy validate fifo',
    'plan --policy fifo',
    'serve --policy fifo --port 0',
    'apply --yes --plan fifo',
    'policy test --expectations fifo',
    'policy explain 111111111111 --attributes @fifo',
    'sandbox --port 0 --faults fifo',
    'audit verify --digest fifo',
    'audit verify --checkpoint fifo --key k',
    'audit proof --verify fifo --key k',
    'restore fifo',
    'doctor --policy fifo',
  ])('%s', async (args) => {
    const cwd = place(withPolicy);
    fifo(cwd);
    const result = await shell(`$RC ${args}`, cwd, { AWS_EC2_METADATA_DISABLED: 'true' });
    expect(result.code).toBe(1);
    expect(`${result.stdout}${result.stderr}`).toMatch(
      /fifo(: not a regular file| is a pipe, expected a regular file)/,
    );
    expectNoStack(result);
  });

  test('a data directory whose database is a FIFO', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const made = await shell('mkdir .rollcall && mkfifo .rollcall/rollcall.db && $RC status', cwd);
    expect(made.code).toBe(1);
    expect(made.stderr).toContain('not a regular file');
  });

  test.each([
    ['a pipe as /dev/stdin', 'cat rollcall.yaml | $RC policy validate /dev/stdin'],
    ['process substitution', '$RC policy validate <(cat rollcall.yaml)'],
  ])('%s, with what to do instead', async (_name, script) => {
    const result = await shell(script, place(withPolicy));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('is a pipe');
    expect(result.stderr).toContain('--policy -');
  });

  test('a file redirected to /dev/stdin counts as a regular file', async () => {
    const result = await shell('$RC policy validate /dev/stdin <rollcall.yaml', place(withPolicy));
    expect(result).toMatchObject({ code: 0, stderr: VALIDATED });
  });

  test('a FIFO without a reader cannot be written to', async () => {
    const { env } = await world();
    const cwd = place(withPolicy);
    fifo(cwd);
    for (const args of ['plan --out fifo', 'audit export --out fifo --force']) {
      const result = await shell(`$RC ${args}`, cwd, env);
      expect(result.code, args).toBe(1);
    }
  });
});

describe('a policy from stdin', () => {
  test.each(['policy validate -', 'policy validate --policy -'])('%s', async (args) => {
    const cwd = place();
    writeFileSync(join(cwd, 'p.yaml'), ENROLL);
    const result = await shell(`cat p.yaml | $RC ${args}`, cwd);
    expect(result).toMatchObject({ code: 0, stderr: VALIDATED });
    expect(result.stdout).toContain('stdin is valid');
  });

  test('findings name stdin and their position', async () => {
    const result = await shell(`printf 'version: 1\\ncolour: blue\\n' | $RC policy validate -`, place());
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('stdin:2:1: error');
  });

  test('a policy that is too large is not read to its end', async () => {
    const result = await shell('yes | $RC policy validate -', place());
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('stdin has more than 4194304 bytes');
  });

  test('reading a policy that never ends can be interrupted', async () => {
    const cwd = place();
    const child = spawn(process.execPath, [MAIN, '--verbose', 'policy', 'validate', '-'], {
      cwd,
      env: { ...process.env, ...CHILD_ENV },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const result = ended(child);
    await said(child, 'reading the policy from stdin');
    child.kill('SIGTERM');
    expect((await result).code).toBe(143);
  });

  test('is rejected by serve, which reloads its policy', async () => {
    const result = await shell('$RC serve --policy - --port 0 <rollcall.yaml', place({ 'rollcall.yaml': ENROLL }));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('serve');
    expect(result.stderr).toContain('Name a file');
  });
});

/** Two streams that a test can make fail. */
function sinks() {
  const written = { out: '', err: '' };
  const listeners: Record<'out' | 'err', ((error: Error) => void)[]> = { out: [], err: [] };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
    on: (_event: 'error', listener: (error: Error) => void) => listeners[name].push(listener),
  });
  const failing = (name: 'out' | 'err') => (code: string) => {
    for (const listener of listeners[name]) listener(Object.assign(new Error(code), { code }));
  };
  return { written, out: stream('out'), err: stream('err'), fail: { out: failing('out'), err: failing('err') } };
}
