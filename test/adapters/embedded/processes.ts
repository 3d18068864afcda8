import { spawn } from 'node:child_process';
import { CHILD_ENV, childFile } from '../../support/children.ts';

const CHILD = childFile('embedded-child');

export interface Finished {
  /** The parsed output lines of the child. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly signal: NodeJS.Signals | null;
}

/**
 * Runs `child.ts` to its end. Rejects if it fails.
 * @param killAfter kills it after this many lines.
 */
export function runChild(mode: string, dataDir: string, name: string, killAfter?: number): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, mode, dataDir, name], {
      env: { ...process.env, ...CHILD_ENV },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (killAfter !== undefined && output.split('\n').length > killAfter) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') return reject(new Error(`${mode} ended with ${code}: ${complaints}`));
      // The kill truncated the text after the last line break, so it was not acknowledged.
      const lines = output.split('\n').slice(0, -1);
      resolve({ lines: lines.map((line) => JSON.parse(line)), signal });
    });
  });
}
