import { writeFileSync } from 'node:fs';
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
    let mode = 'alert';
    let commands = 0;
    for (const step of steps.slice(1)) {
      if ('file' in step) {
        writeFileSync(join(options.cwd, 'rollcall.yaml'), step.file);
        mode = /mode: (\w+)/.exec(step.file)?.[1] ?? mode;
        continue;
      }
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
      if (mode === 'alert') expect(changes(), `${step.line} has changed something`).toEqual([]);
    }
    expect(commands).toBe(17);
    // The sandbox's own state confirms the result.
    const active = running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(active.every(({ computeOptimizer }) => computeOptimizer.status === 'Active')).toBe(true);
    expect(changes().length).toBeGreaterThan(0);
  }, 240_000);
});

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
