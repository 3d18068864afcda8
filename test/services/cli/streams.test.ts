import { describe, expect, test } from 'vitest';
import { errorShape } from './shapes.ts';
import { ENROLL, json, place, rollcall, world } from './support.ts';

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

describe('the last line of a log', () => {
  test('names the exit code', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const before = await rollcall(['plan'], { cwd, env });
    expect(before.code).toBe(2);
    expect(lastLine(before.stderr)).toBe('rollcall: exit code 2 (drift found)');
    const apply = await rollcall(['apply', '--yes', '--wait', '1s'], { cwd, env });
    expect(lastLine(apply.stderr)).toBe('rollcall: exit code 0 (converged)');
    const validate = await rollcall(['policy', 'validate'], { cwd });
    expect(lastLine(validate.stderr)).toBe('rollcall: exit code 0 (done)');
    const wrong = await rollcall(['plan', '--limit'], { cwd });
    expect(lastLine(wrong.stderr)).toBe('rollcall: exit code 1 (error)');
  });

  test.each([['--quiet'], ['-q'], ['--json'], ['-o', 'json'], ['--output=json']])(
    'is left out with %s',
    async (...options) => {
      const cwd = place({ 'rollcall.yaml': 'version: 2\n' });
      const [invalid, unknown] = await Promise.all([
        rollcall(['policy', 'validate', ...options], { cwd }),
        rollcall(['policy', 'validat', ...options], { cwd }),
      ]);
      expect([invalid.code, unknown.code]).toEqual([1, 1]);
      expect(`${invalid.stderr}${unknown.stderr}`).not.toContain('exit code');
    },
  );
});

describe('json', () => {
  test.each([['--json'], ['-o', 'json'], ['-ojson'], ['--output=json'], ['--output', 'json']])(
    '%s prints an error as one document on stdout',
    async (...options) => {
      const cwd = place();
      for (const args of [['plan'], ['plann'], ['status', '--store', 'redis']]) {
        const result = await rollcall([...args, ...options], { cwd });
        expect(result).toMatchObject({ code: 1, stderr: '' });
        expect(errorShape.parse(json(result)).error.message).toMatch(/\S/);
      }
    },
  );
});

describe('environment', () => {
  test('ROLLCALL_POLICY, ROLLCALL_STORE and ROLLCALL_DATA_DIR are defaults of their options', async () => {
    const cwd = place({ 'a.yaml': ENROLL, 'b.yaml': 'version: 2\n' });
    const env = { ROLLCALL_POLICY: 'a.yaml', ROLLCALL_DATA_DIR: 'there', ROLLCALL_STORE: '' };
    const [named, overridden, argument, store, dataDir] = await Promise.all([
      rollcall(['policy', 'validate'], { cwd, env }),
      rollcall(['policy', 'validate', '--policy', 'b.yaml'], { cwd, env }),
      rollcall(['policy', 'validate', 'b.yaml'], { cwd, env }),
      rollcall(['status'], { cwd, env: { ...env, ROLLCALL_STORE: 'redis' } }),
      rollcall(['audit', 'list'], { cwd, env }),
    ]);
    expect(named.code).toBe(0);
    expect(overridden.stderr).toContain('b.yaml has 1 error');
    expect(argument.stderr).toContain('b.yaml has 1 error');
    expect(store.stderr).toContain('"redis"');
    expect(dataDir.stderr).toContain('there');
  });
});
