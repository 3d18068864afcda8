import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { reportLines, reportOf } from '../../../services/cli/errors.ts';
import { parse } from '../../../services/cli/program.ts';
import { Output } from '../../../services/cli/ui/output.ts';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../../services/sandbox/start.ts';
import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { childFile } from '../../support/children.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { runInProcess } from './in-process.ts';

/** The CLI as installed. */
export const MAIN = childFile('cli');

/** A directory of its own for one test, with the files it is given. */
export function place(files: Readonly<Record<string, string>> = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-cli-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

export interface World {
  readonly running: RunningSandbox;
  /** What the SDK has to be told to find it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A pretend organization for one test; small unless told otherwise. */
export async function world(options: StartOptions = {}): Promise<World> {
  const running = await startSandbox({ accounts: 12, drift: 0.3, seed: 3, ...options, port: 0 });
  onTestFinished(() => running.close());
  return { running, env: envOf(running) };
}

function envOf(running: RunningSandbox): Record<string, string> {
  const { endpoint, info } = running;
  return { AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'eu-west-1', ...as(info.managementAccountId) };
}

export const as = (accountId: string) => ({ AWS_ACCESS_KEY_ID: accountId, AWS_SECRET_ACCESS_KEY: 'any' });

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface CallOptions {
  readonly cwd: string;
  /** What Node is to run, with its own arguments before it; default: the bundle of the checkout. */
  readonly entry?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Nothing of the machine's own settings reaches the command. */
function bare(options: CallOptions): Record<string, string> {
  const none = join(options.cwd, 'none');
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: options.cwd,
    ...COMPILE_CACHE,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: none,
    AWS_SHARED_CREDENTIALS_FILE: none,
    ...options.env,
  };
}

/** Starts the real CLI, its stdin not a terminal. */
export function start(args: readonly string[], options: CallOptions): ChildProcess {
  const child = spawn(process.execPath, [...(options.entry ?? [MAIN]), ...args], {
    cwd: options.cwd,
    env: bare(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const startedAt = performance.now();
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, stdout, stderr, ms: performance.now() - startedAt };
}

/** Runs a command to its end, in this process. */
export function rollcall(args: readonly string[], options: Omit<CallOptions, 'entry'>): Promise<Ended> {
  return runInProcess(args, options.cwd, bare(options));
}

/** Runs a command to its end, in a process of its own. */
export function spawned(args: readonly string[], options: CallOptions): Promise<Ended> {
  return ended(start(args, options));
}

/** Resolves when an answer of the sandbox leaves no active account without Compute Optimizer. */
export function allEnrolled({ sandbox }: RunningSandbox): Promise<'converged'> {
  const handle = sandbox.handle.bind(sandbox);
  return new Promise((resolve) => {
    sandbox.handle = (request) => {
      const answer = handle(request);
      const missing = sandbox.accounts().some(({ computeOptimizer, state }) => {
        return state === 'ACTIVE' && computeOptimizer.status !== 'Active';
      });
      if (!missing) {
        sandbox.handle = handle;
        resolve('converged');
      }
      return answer;
    };
  });
}

/** A terminal's two streams, as the output port sees them. */
export function streams(columns?: number) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
    on: () => undefined,
    ...(columns !== undefined && { isTTY: true, columns }),
  });
  return { written, out: stream('out'), err: stream('err') };
}

/** A command that has to be refused before it touches anything, in this process: as `main.ts` does it, without its cost. */
export async function refused(args: readonly string[]): Promise<string> {
  const { written, out, err } = streams();
  const flags = { json: false, color: 'never' as const };
  const output = new Output(out, err, flags);
  const nowhere = { signal: new AbortController().signal, finishGracefully: () => undefined, exitCode: 130 };
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const clock = { now: Date.now, sleep: async () => undefined };
  try {
    const { run, flags: typed } = parse(args, { write: silent, note: silent });
    const config = readConfig(typed, {});
    await run({ config, store: storeProfile(config, {}), env: {}, output, interrupt: nowhere, clock, logger });
  } catch (error) {
    expect(written).toEqual({ out: '', err: '' });
    return reportLines(reportOf(error)).join('\n');
  }
  throw new Error(`was not refused; it wrote ${JSON.stringify(written)}`);
}

/** Waits for text on stderr or stdout. */
export async function said(child: ChildProcess, text: string): Promise<void> {
  await saidBy(child, { exec: (all) => (all.includes(text) ? [text] : null) });
}

interface Pattern {
  exec(text: string): readonly string[] | null;
}

/** As `said`. @returns the pattern's group, or all that fits it */
export function saidBy(child: ChildProcess, pattern: Pattern): Promise<string> {
  let all = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      all += chunk.toString();
      const found = pattern.exec(all);
      if (found !== null) resolve(found[1] ?? found[0] ?? '');
    };
    child.stderr?.on('data', look);
    child.stdout?.on('data', look);
    child.once('close', () => reject(new Error(`ended without saying ${String(pattern)}: ${all}`)));
  });
}

/** What a shell script sees: the one document on stdout. */
export function json(result: Ended): unknown {
  expect(result.stdout.trim(), result.stderr).not.toBe('');
  return JSON.parse(result.stdout);
}

/** A clear refusal: exit 1, one message on stderr that has these words, nothing on stdout, no stack, and nothing new in the directory. */
export function expectRefusal(result: Ended, cwd: string, files: readonly string[], ...words: readonly string[]): void {
  expect(result, result.stderr).toMatchObject({ code: 1, stdout: '' });
  for (const word of words) expect(result.stderr).toContain(word);
  expect(result.stderr).toMatch(/^error: /m);
  expectNoStack(result);
  expect(readdirSync(cwd).sort()).toEqual([...files].sort());
}

export function expectNoStack({ stdout, stderr }: Ended): void {
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .*[:(]\d+/m);
  expect(`${stdout}${stderr}`).not.toContain('node:internal');
}

export const EVERYTHING_ON = `version: 1
defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }
guardrails: { maxChanges: { percent: 100, atLeast: 10 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;

/** Compute Optimizer alone: one call a drifted account. */
export const ENROLL = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 100, atLeast: 10 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
