import { spawn } from 'node:child_process';
import { once } from 'node:events';

/*
 * `npm test`: `node test/checks/main.ts lint types -- vitest run`. Runs the scripts before `--` beside the command after it, because the tests leave a part
 * of the cores idle. The command writes to the terminal itself. A script that fails prints its output when it ends. Fails if one of them fails.
 */

// On Windows, npm and vitest are batch files, which only a shell can start.
const shell = process.platform === 'win32';

/** @returns the exit code of `npm run SCRIPT`; 1 if a signal ended it */
async function check(script: string): Promise<number> {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'], shell });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => void output.push(part));
  await once(child, 'close');
  const code = child.exitCode ?? 1;
  if (code !== 0) process.stdout.write(Buffer.concat(output));
  return code;
}

/** @returns the exit code; 1 if a signal ended the command */
async function runTests(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', shell });
  // Ctrl-C reaches the command too, which ends in its own way.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => void child.kill());
  await once(child, 'close');
  return child.exitCode ?? 1;
}

const args = process.argv.slice(2);
const separator = args.indexOf('--');
const scripts = args.slice(0, separator);
const [command, ...rest] = args.slice(separator + 1);
if (separator < 0 || command === undefined) throw new Error('usage: main.ts SCRIPT... -- COMMAND [ARGUMENT...]');
const [tests, ...checks] = await Promise.all([runTests(command, rest), ...scripts.map(check)]);
for (const [index, code] of checks.entries())
  if (code !== 0) process.stderr.write(`npm run ${scripts[index]} failed with exit code ${code}\n`);
process.exitCode = Math.max(tests, ...checks);
