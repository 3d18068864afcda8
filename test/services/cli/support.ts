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
import { NO_TRACER } from '../../../shared/ports/tracer.ts';
import { CHILD_ENV, childFile } from '../../support/children.ts';
import { runInProcess } from './in-process.ts';

/** The CLI as installed. */
export const MAIN = childFile('cli');

/** A new directory for one test, with the given files. */
export function place(files: Readonly<Record<string, string>> = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-cli-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

export interface World {
  readonly running: RunningSandbox;
  /** The settings with which the SDK finds it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A simulated organization for one test, small by default. */
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
  /** The script for Node, after Node's own arguments; default: the bundle of the checkout. */
  readonly entry?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An environment without the machine's own settings. */
export function bare(options: CallOptions): Record<string, string> {
  const none = join(options.cwd, 'none');
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: options.cwd,
    ...CHILD_ENV,
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
  return runInProcess(args, { cwd: options.cwd, env: bare(options) });
}

/** Runs a command to its end, in a new process. */
export function spawned(args: readonly string[], options: CallOptions): Promise<Ended> {
  return ended(start(args, options));
}

/** What stderr has at the end of a command without warnings that does not look for drift. */
export const DONE = 'rollcall: exit code 0 (done)\n';

/** Resolves when every active account of the sandbox is enrolled in Compute Optimizer. */
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

/** Resolves at the next call of the operation, before it takes effect. */
export function called({ sandbox }: RunningSandbox, operation: string): Promise<void> {
  const handle = sandbox.handle.bind(sandbox);
  return new Promise((resolve) => {
    sandbox.handle = (request) => {
      if (request.operation === operation) {
        sandbox.handle = handle;
        resolve();
      }
      return handle(request);
    };
  });
}

/** The two streams of a terminal. */
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

/** Runs a command that must be rejected before it accesses anything, in this process and without opening streams. */
export async function refused(args: readonly string[]): Promise<string> {
  const { written, out, err } = streams();
  const flags = { json: false, color: 'never' as const };
  const output = new Output(out, err, flags);
  const nowhere = { signal: new AbortController().signal, finishGracefully: () => undefined, exitCode: 130 };
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const clock = { now: Date.now, sleep: async () => undefined };
  try {
    const { run, flags: typed } = parse(args, { write: silent });
    const config = readConfig(typed, {});
    const input = () => process.stdin;
    const tracer = async () => NO_TRACER;
    const store = storeProfile(config, {});
    await run({ config, store, env: {}, output, input, interrupt: nowhere, clock, logger, tracer });
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

/** Like `said`, for a pattern. @returns its group, or the whole match */
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

/** The single document on stdout. */
export function json(result: Ended): unknown {
  expect(result.stdout.trim(), result.stderr).not.toBe('');
  return JSON.parse(result.stdout);
}

/** Expects a clear error: exit 1, one message on stderr with these words, nothing on stdout, no stack, and no new file in the directory. */
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

/** Manages only Compute Optimizer, which needs one call per drifted account. */
export const ENROLL = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 100, atLeast: 10 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
