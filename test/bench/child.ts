import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type * as z from 'zod';
import { CLI_BUNDLE } from '../../services/cli/package/bundle.ts';
import { type Sandbox, type SandboxOptions, sandboxInfo, sandboxOver } from './sandbox.ts';

export const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Starts the simulated AWS in a separate process, so that its processor time does not count as ours. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const child = spawn(
    process.execPath,
    [path('../../services/sandbox/main.ts'), JSON.stringify({ port: 0, ...options })],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const info = sandboxInfo.parse(JSON.parse(await firstLine(child)));
  return sandboxOver(info, async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });
}

/**
 * Runs `tasks/NAME.ts` in a new process (its own heap, compiler and resident memory) with the sandbox as AWS, and
 * validates its answer.
 */
export function runTask<T>(name: string, input: unknown, answer: z.ZodType<T>, sandbox: Sandbox | null): Promise<T> {
  return startTask(taskSource(name), input, answer, sandbox === null ? {} : sandbox.environment).answered;
}

const taskSource = (name: string): string => path(`tasks/${name}.ts`);

/** Bundles `tasks/NAME.ts` as for the npm package. @returns the file, in `directory` */
export async function bundleTask(name: string, directory: string): Promise<string> {
  await build({ ...CLI_BUNDLE, entryPoints: [taskSource(name)], outdir: directory, outExtension: { '.js': '.mjs' } });
  return join(directory, `${name}.mjs`);
}

export interface StartedTask<T> {
  readonly process: ChildProcess;
  readonly answered: Promise<T>;
}

/** The same for a process that answers when the caller ends it. */
export function startTask<T>(
  file: string,
  input: unknown,
  answer: z.ZodType<T>,
  environment: Readonly<Record<string, string>>,
): StartedTask<T> {
  // The same options as in the scripts of package.json.
  const child = spawn(process.execPath, ['--max-semi-space-size=8', file, JSON.stringify(input)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const read = async (): Promise<T> => {
    const line = await firstLine(child);
    const [code] = await exited;
    if (code !== 0) throw new Error(`${file} ended with exit code ${code}`);
    return answer.parse(JSON.parse(line));
  };
  const answered = read();
  // A caller that ends the child without waiting for its answer must not cause an unhandled rejection.
  answered.catch(() => undefined);
  return { process: child, answered };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the child ended without a word');
}
