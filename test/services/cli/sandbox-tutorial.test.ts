import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { place, rollcall, world } from './support.ts';
import { stepsOf } from './tutorial-steps.ts';

describe('the sandbox tutorial', () => {
  it('works as its page says, command by command, with its own data directory', async () => {
    const steps = stepsOf('sandbox.md');
    const [sandbox] = steps;
    expect(sandbox).toMatchObject({ args: ['sandbox', '--accounts', '120', '--seed', '5', '--drift', '0.3'] });
    const { env, running } = await world({ accounts: 120, drift: 0.3, seed: 5 });
    const cwd = place();
    let settings: Readonly<Record<string, string>> = env;
    let commands = 0;
    for (const step of steps.slice(1)) {
      if ('file' in step) {
        writeFileSync(join(cwd, step.name), step.file);
        continue;
      }
      const { args, line } = step;
      if (line.startsWith('export ')) settings = { ...exportsOf(line), ...settings };
      if (line.startsWith('curl ')) await drift(running.endpoint, line);
      // The daemon has tests of its own.
      if (args.length === 0 || args[0] === 'serve') continue;
      const { code, stdout, stderr } = await rollcall(answered(args), { cwd, env: settings });
      commands += 1;
      expect(code, `${line}\n${stdout}${stderr}`).toBe(step.code);
    }
    expect(commands).toBe(26);
    expect(settings).toMatchObject({ ROLLCALL_DATA_DIR: 'sandbox-data' });
  }, 300_000);
});

/** Without a terminal, `apply` does not ask. */
function answered(args: readonly string[]): readonly string[] {
  return args[0] === 'apply' ? [...args, '--yes'] : args;
}

/** `export A=1 B=2` as settings. Those of the test's own sandbox take precedence. */
function exportsOf(line: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}

/** Runs the page's `curl` against the test's sandbox. */
async function drift(endpoint: string, line: string): Promise<void> {
  const [, path = '', body = ''] = /-X POST http:\/\/127\.0\.0\.1:4570(\S+) -d '([^']+)'$/.exec(line) ?? [];
  const response = await fetch(`${endpoint}${path}`, { method: 'POST', body });
  expect(response.status, line).toBe(200);
}
