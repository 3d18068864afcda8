import { spawn } from 'node:child_process';

/*
 * The part of `npm test` before the tests. Runs the scripts that its arguments name at the same time, because each uses only about one core. Prints the
 * output of each script when it ends, and fails if one of them fails.
 */

/** @returns the exit code of `npm run SCRIPT`; 1 if a signal ended it */
async function run(script: string): Promise<number> {
  // On Windows, npm is a batch file, which only a shell can start.
  const child = spawn('npm', ['run', '--silent', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => void output.push(part));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
  process.stdout.write(Buffer.concat(output));
  if (code !== 0) process.stderr.write(`npm run ${script} failed with exit code ${code}\n`);
  return code;
}

const codes = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = Math.max(0, ...codes);
