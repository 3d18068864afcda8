import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CallOptions, ended, place, rollcall, start, world } from './support.ts';
import { stepsOf } from './tutorial-steps.ts';

describe('the first week', () => {
  it('works as its page says, command by command', async () => {
    const steps = stepsOf('first-week.md');
    const [sandbox] = steps;
    expect(sandbox).toMatchObject({ args: ['sandbox', '--accounts', '30', '--drift', '0.5'] });
    const { env, running } = await world({ accounts: 30, drift: 0.5, seed: 1 });
    const options = { cwd: place(), env };
    const changes = () => running.sandbox.calls().filter(({ operation }) => operation.startsWith('Update'));
    let hash = 'no plan was named';
    let account = 'no account is known';
    let commands = 0;
    const policy = policyFiles(options.cwd);
    for (const step of steps.slice(1)) {
      if ('file' in step) {
        policy.write(step);
        continue;
      }
      if (policy.moved(step.line)) continue;
      const args = step.args.map((word) => (word === 'HASH' ? hash : word === '123456789012' ? account : word));
      if (args[0] === 'serve') {
        await serves(options);
        continue;
      }
      const { code, stdout, stderr } = await rollcall(args, options);
      commands += 1;
      expect(code, `${step.line}\n${stdout}${stderr}`).toBe(step.code);
      hash = /rollcall approve ([0-9a-f]{12})/.exec(stdout)?.[1] ?? hash;
      if (args[0] === 'plan') account = /^ *(\d{12})/m.exec(stdout)?.[1] ?? account;
      policy.shown(args);
      if (!policy.enforces()) expect(changes(), `${step.line} has changed something`).toEqual([]);
    }
    expect(commands).toBe(17);
    // The sandbox's own state confirms the result.
    const active = running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
    expect(changes().length).toBeGreaterThan(0);
  }, 240_000);
});

/** The policy files of the page in a directory. `serve` runs all week, so `rollcall.yaml` is in force as soon as it is saved. */
function policyFiles(cwd: string) {
  const inForce = join(cwd, 'rollcall.yaml');
  const enforces = () => existsSync(inForce) && readFileSync(inForce, 'utf8').includes('mode: enforce');
  const planned = new Set<string>();
  const check = (): void => {
    if (!enforces()) return;
    expect(planned, 'a policy is in force before its plan was shown').toContain(readFileSync(inForce, 'utf8'));
  };
  return {
    enforces,
    write: ({ name, file }: { readonly name: string; readonly file: string }): void => {
      writeFileSync(join(cwd, name), file);
      check();
    },
    /** Moves a file, if the line says so. */
    moved: (line: string): boolean => {
      const [, from, to] = /^mv (\S+) (\S+)/.exec(line) ?? [];
      if (from === undefined || to === undefined) return false;
      renameSync(join(cwd, from), join(cwd, to));
      check();
      return true;
    },
    /** Notes that a command has shown the plan of another file. */
    shown: ([command, option, file = '']: readonly string[]): void => {
      if (command === 'plan' && option === '--policy') planned.add(readFileSync(join(cwd, file), 'utf8'));
    },
  };
}

/** Starts the daemon, and stops it as soon as it reports that it serves. */
async function serves(options: CallOptions): Promise<void> {
  const daemon = start(['serve', '--port', '0'], options);
  let said = '';
  daemon.stderr?.on('data', (chunk: Buffer) => {
    const before = said;
    said += chunk.toString();
    if (said.includes(' serving ') && !before.includes(' serving ')) daemon.kill('SIGTERM');
  });
  const { code } = await ended(daemon);
  expect(said).toContain(' serving ');
  expect(code, said).toBe(0);
}
