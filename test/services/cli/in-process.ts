import { onTestFinished } from 'vitest';
import { type Host, runCli } from '../../../services/cli/cli.ts';
import type { Ended } from './support.ts';

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

/** Runs a command in this process, which takes a tenth of the CPU time of a new one. It receives no signals, and stdin is not a terminal. */
export async function runInProcess(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const left = { done: false };
  const leave = await surroundings.enter(cwd, env);
  const leaveOnce = (): void => {
    if (!left.done) leave();
    left.done = true;
  };
  // A test that abandons its command does not block later tests.
  onTestFinished(leaveOnce);
  const startedAt = performance.now();
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err'): Host['stdout'] => ({
    write(text, done) {
      written[name] += text;
      done?.();
    },
    on: () => undefined,
  });
  const exit = (code: number): never => {
    throw new Error(`the command ends this process with ${code}`);
  };
  try {
    const code = await runCli(args, {
      ...{ stdout: stream('out'), stderr: stream('err'), env: process.env },
      ...{ signals: { on: () => undefined }, exit, rewrite: () => undefined },
    });
    return { code, stdout: written.out, stderr: written.err, ms: performance.now() - startedAt };
  } finally {
    leaveOnce();
  }
}
