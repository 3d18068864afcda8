import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { runCli } from '../../../services/cli/cli.ts';
import type { Stream } from '../../../services/cli/ui/output.ts';
import { demoShape } from './shapes.ts';
import { ENROLL, ended, json, place, refused, rollcall, said, saidBy, start, streams, world } from './support.ts';

describe('commands that run until they are stopped', () => {
  test('sandbox prints one line of JSON, serves, and exits 0', async () => {
    const cwd = place({ 'faults.json': '[{"operation":"GetEnrollmentStatus","kind":"throttle","probability":0.5}]' });
    const flags = [
      '--port',
      '0',
      '--accounts',
      '8',
      '--seed',
      '7',
      '--latency',
      '1ms',
      '--pending',
      '2s',
      '--rate',
      '50',
      '--configuration-delay',
      '1m',
      '--covered-code',
      'InvalidParameterValueException',
      '--org-rate',
      '5',
    ];
    const child = start(['sandbox', ...flags, '--faults', 'faults.json'], { cwd });
    const end = ended(child);
    await said(child, '}\n');
    child.kill('SIGTERM');
    const result = await end;
    expect(result).toMatchObject({ code: 0, stderr: 'rollcall: exit code 0 (done)\n' });
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
    expect(Object.keys(JSON.parse(result.stdout))).toEqual([
      'endpoint',
      'organizationId',
      'managementAccountId',
      'delegatedAdministratorId',
      'accounts',
      'memberRole',
    ]);
  });

  test('sandbox in a terminal also prints the settings to copy, on stderr', async () => {
    const { written, out, err } = streams(80);
    let interrupt = (): void => undefined;
    const stream = (to: typeof out): Stream => ({
      ...to,
      write: (text, done) => {
        to.write(text);
        done?.();
        if (text.includes('Ctrl-C')) interrupt();
      },
    });
    const code = await runCli(['sandbox', '--port', '0', '--accounts', '8'], {
      ...{ stdout: stream(out), stderr: stream(err), stdin: () => process.stdin, env: {} },
      ...{ exit: () => undefined, rewrite: () => undefined },
      signals: {
        on: (event, listener) => {
          if (event === 'SIGINT') interrupt = () => listener('SIGINT');
        },
      },
    });
    expect(code).toBe(0);
    const { endpoint } = z.object({ endpoint: z.string() }).parse(JSON.parse(written.out));
    const lines = written.err.split('\n').map((line) => line.trim());
    expect(lines).toContain(`export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=us-east-1`);
    expect(lines).toContain('export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox');
    // With a profile, the SDK ignores these keys.
    expect(lines).toContain('unset AWS_PROFILE');
    expect(lines).toContain('export ROLLCALL_DATA_DIR=sandbox-data');
    expect(lines).toContain('Ctrl-C ends the sandbox.');
  });

  test('sandbox: a fifth of the accounts has drifted unless a scenario or --drift says otherwise', async () => {
    const drifting = async (...flags: readonly string[]): Promise<number> => {
      const child = start(['sandbox', '--port', '0', '--accounts', '50', ...flags], { cwd: place() });
      const end = ended(child);
      const endpoint = await saidBy(child, /"endpoint":"([^"]+)"/);
      const truth: unknown = await (await fetch(`${endpoint}/_sandbox/accounts`)).json();
      child.kill('SIGTERM');
      await end;
      const { accounts } = z
        .object({ accounts: z.array(z.object({ computeOptimizer: z.object({ status: z.string() }) })) })
        .parse(truth);
      return accounts.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active').length;
    };
    const [named, none, scenario] = await Promise.all([
      drifting(),
      drifting('--drift', '0'),
      drifting('--scenario', 'large'),
    ]);
    expect(named).toBeGreaterThan(5);
    expect(none).toBe(0);
    expect(scenario).toBeLessThan(named);
  });

  test('sandbox on a port that is in use, or with invalid faults', async () => {
    const { running } = await world();
    const { port } = new URL(running.endpoint);
    const cwd = place({ 'f.json': '[{"kind":"explode"}]', 'g.json': '{}' });
    expect(await refused(['sandbox', '--port', port])).toContain(`Port ${port} is in use. Choose another with --port`);
    expect(await refused(['sandbox', '--port', '0', '--faults', join(cwd, 'f.json')])).toContain('kind');
    expect(await refused(['sandbox', '--port', '0', '--faults', join(cwd, 'g.json')])).toContain('array');
    expect(await refused(['sandbox', '--port', '0', '--faults', join(cwd, 'h.json')])).toContain(
      'there is no such file',
    );
  });

  test('serve that is stopped while it starts exits 0', async () => {
    const { env } = await world({
      faults: [{ operation: 'GetCallerIdentity', kind: 'slow', delayMs: 1_500, from: 2 }],
    });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const child = start(['serve', '--port', '0'], { cwd, env });
    const end = ended(child);
    await said(child, 'API and dashboard at');
    child.kill('SIGTERM');
    const { code, stderr } = await end;
    expect(stderr).not.toContain('error:');
    expect(code).toBe(0);
  });

  test('serve scans, remediates and exits 0 on SIGTERM', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const child = start(['serve', '--json'], { cwd, env });
    const end = ended(child);
    await said(child, 'worked: ');
    child.kill('SIGTERM');
    const result = await end;
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ scans: 1, worked: { resolved: expect.any(Number) } });
    expect(result.stderr).toMatch(/scan \w{26} ended: .* queued/);
    const active = running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
  });

  test('the demo converges in its own directory and ends', async () => {
    const cwd = place();
    const result = await rollcall(['demo', '--once', '--json'], {
      cwd,
      env: { TMPDIR: cwd, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    });
    expect(result.code, result.stderr).toBe(0);
    const demo = demoShape.parse(json(result));
    expect(demo.open).toEqual([]);
    expect(demo.dataDir.startsWith(join(cwd, 'rollcall-demo-'))).toBe(true);
    expect(Object.values(demo.calls).some(({ throttled }) => throttled > 0)).toBe(true);
    expect(await rollcall(['status', '--data-dir', demo.dataDir], { cwd })).toMatchObject({ code: 0 });
  });
});
