import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type Host, runCli } from '../../../services/cli/cli.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import type { Ended } from './support.ts';

/** A terminal for a command. */
export interface Terminal {
  readonly columns: number;
  /** Lines that are typed, in order; the input ends after them. */
  readonly answers?: readonly string[];
}

export interface InProcess {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: none; neither stdin nor the outputs are terminals. */
  readonly terminal?: Terminal;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

export interface OnScreen extends Ended {
  /** Both streams, in the order in which they were written. */
  readonly screen: string;
}

/** Guards the working directory and environment of this process: commands that need the same ones run concurrently, others wait. */
class Surroundings {
  #users = 0;
  #inPlace = '';
  #waiting: (() => void)[] = [];
  #restore: () => void = () => undefined;

  async enter(cwd: string, env: Readonly<Record<string, string>>): Promise<() => void> {
    const wanted = JSON.stringify([cwd, env]);
    while (this.#users > 0 && this.#inPlace !== wanted)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#users === 0) {
      const [directory, settings] = [process.cwd(), { ...process.env }];
      this.#restore = () => {
        process.chdir(directory);
        setEnvironment(settings);
      };
      process.chdir(cwd);
      setEnvironment(env);
      this.#inPlace = wanted;
    }
    this.#users += 1;
    return () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#restore();
      for (const resume of this.#waiting.splice(0)) resume();
    };
  }
}

/** Changes the process's own object, because libraries and native code read it. */
function setEnvironment(wanted: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) if (wanted[name] === undefined) delete process.env[name];
  Object.assign(process.env, wanted);
}

const surroundings = new Surroundings();

/** Runs a command in this process, which takes a tenth of the CPU time of a new one. It receives no signals. */
export async function runInProcess(
  args: readonly string[],
  { cwd, env, terminal, clock }: InProcess,
): Promise<OnScreen> {
  const left = { done: false };
  const leave = await surroundings.enter(cwd, env);
  const leaveOnce = (): void => {
    if (!left.done) leave();
    left.done = true;
  };
  // A test that abandons its command does not block later tests.
  onTestFinished(leaveOnce);
  const startedAt = performance.now();
  const written = { out: '', err: '', screen: '' };
  const stream = (name: 'out' | 'err'): Host['stdout'] => ({
    write(text, done) {
      written[name] += text;
      written.screen += text;
      done?.();
    },
    on: () => undefined,
    ...(terminal !== undefined && { isTTY: true, columns: terminal.columns }),
  });
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal !== undefined });
  stdin.end((terminal?.answers ?? []).map((answer) => `${answer}\n`).join(''));
  const exit = (code: number): never => {
    throw new Error(`the command ends this process with ${code}`);
  };
  try {
    const code = await runCli(args, {
      ...{ stdout: stream('out'), stderr: stream('err'), stdin: () => stdin, env: process.env },
      ...(clock !== undefined && { clock }),
      ...{ signals: { on: () => undefined }, exit, rewrite: () => undefined },
    });
    return {
      code,
      stdout: written.out,
      stderr: written.err,
      screen: written.screen,
      ms: performance.now() - startedAt,
    };
  } finally {
    leaveOnce();
  }
}
