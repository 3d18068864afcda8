import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningSandbox, type StartOptions, startSandbox } from '../../services/sandbox/start.ts';
import { createKeyFile } from '../../shared/adapters/system/new-key-file.ts';

const MAIN = fileURLToPath(new URL('../../services/cli/main.mjs', import.meta.url));

const KEY_FILE = 'checkpoints.pem';

/** A simulated organization with the real `rollcall serve`: its API, dashboard and embedded store, whose audit log is signed. */
export interface ServedSandbox {
  readonly running: RunningSandbox;
  /** The URL of the dashboard, without a trailing slash. */
  readonly url: string;
  /** Runs a command of the CLI on the same store. @returns its output, whatever its exit code: `status` ends with 3 if there is drift */
  run(args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export interface ServedSandboxOptions {
  readonly sandbox: StartOptions;
  readonly policy: string;
  /** Runs before the first scan. */
  readonly prepare?: (running: RunningSandbox) => void;
  /** The CLI to run, and its additional environment; the default is that of the checkout. */
  readonly cli?: { readonly file: string; readonly env: Readonly<Record<string, string>> };
}

export async function openServedSandbox({
  sandbox,
  policy,
  prepare,
  cli = { file: MAIN, env: {} },
}: ServedSandboxOptions): Promise<ServedSandbox> {
  const running = await startSandbox({ ...sandbox, port: 0 });
  const cwd = mkdtempSync(join(tmpdir(), 'rollcall-e2e-'));
  prepare?.(running);
  await createKeyFile(join(cwd, KEY_FILE));
  writeFileSync(join(cwd, 'rollcall.yaml'), policy);
  const child = spawn(process.execPath, [cli.file, 'serve', '--policy', 'rollcall.yaml', '--port', '0'], {
    cwd,
    env: { ...environment(running, cwd), ...cli.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const close = async (): Promise<void> => {
    const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
    child.kill('SIGKILL');
    await ended;
    await running.close();
    rmSync(cwd, { recursive: true, force: true });
  };
  try {
    const options = { cwd, env: { ...environment(running, cwd), ...cli.env } };
    const run = (args: readonly string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [cli.file, ...args], options, (_error, stdout, stderr) =>
          stdout === '' ? reject(new Error(stderr)) : resolve(stdout),
        );
      });
    return { running, url: await addressOf(child), run, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Excludes the machine's own AWS settings. */
function environment({ endpoint, info }: RunningSandbox, cwd: string): Record<string, string> {
  const nowhere = join(cwd, 'none');
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: nowhere,
    AWS_SHARED_CREDENTIALS_FILE: nowhere,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: info.managementAccountId,
    AWS_SECRET_ACCESS_KEY: 'any',
    ROLLCALL_CHECKPOINT_KEY: join(cwd, KEY_FILE),
  };
}

/** The URL of the dashboard that the process prints. */
function addressOf(child: ChildProcess): Promise<string> {
  let all = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      all += chunk.toString();
      const [, address] = /[Dd]ashboard\D*?(http:\/\/127\.0\.0\.1:\d+)/.exec(all) ?? [];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('close', () => reject(new Error(`serve ended without a dashboard: ${all}`)));
  });
}
