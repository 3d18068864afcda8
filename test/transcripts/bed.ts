import { mkdtempSync, readFileSync, realpathSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RunningSandbox, startSandbox } from '../../services/sandbox/start.ts';
import { systemClock } from '../../shared/compose/clock.ts';
import { type OnScreen, runInProcess, type Terminal } from '../services/cli/in-process.ts';
import { as, bare } from '../services/cli/support.ts';
import { type QuietClock, quietClock } from './clock.ts';

/** The first seconds of the days. Commands take less than a minute of the bed's time, so minutes in their output are the same in every run. */
const DAY_A = Date.UTC(2026, 11, 1, 9, 41, 5);
export const DAY_B = Date.UTC(2026, 11, 1, 9, 43, 5);

const POLICY = `version: 1
defaults: { computeOptimizer: Active, automation: Active }
`;

/**
 * The organization of all transcripts: `rollcall sandbox --accounts 120 --seed 5 --drift 0.3`, an empty store, and commands that run in this process
 * on a terminal.
 */
export class Bed {
  readonly running: RunningSandbox;
  readonly clock: QuietClock;
  readonly cwd: string;
  readonly #columns: number;
  readonly #transcript: string[] = [];

  constructor(running: RunningSandbox, clock: QuietClock, cwd: string, columns: number) {
    this.running = running;
    this.clock = clock;
    this.cwd = cwd;
    this.#columns = columns;
  }

  /** Runs one command, with words separated by spaces, and adds it with its output to the transcript. */
  async type(command: string, ...answers: readonly string[]): Promise<OnScreen> {
    const result = await this.run(command, { columns: this.#columns, answers });
    const shown = [
      `$ rollcall ${command}`.trimEnd(),
      ...stable(echoed(result.screen, answers)).trimEnd().split('\n'),
      `[exit ${result.code}]`,
    ];
    this.#transcript.push(shown.join('\n'));
    return result;
  }

  /** Runs a command without adding it to the transcript. Without a terminal, outputs are pipes. */
  run(command: string, terminal?: Terminal) {
    const env = bare({ cwd: this.cwd, env: { ...as(this.running.info.managementAccountId), ...this.#settings() } });
    const args = command.split(' ').filter((word) => word !== '');
    // The checks of doctor have time limits, which must not end while they wait for an answer.
    const clock = args[0] === 'doctor' ? systemClock : this.clock;
    return runInProcess(args, { cwd: this.cwd, env, clock, ...(terminal !== undefined && { terminal }) });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.cwd, name), text);
  }

  remove(name: string): void {
    unlinkSync(join(this.cwd, name));
  }

  read(name: string): string {
    return readFileSync(join(this.cwd, name), 'utf8');
  }

  /** Everything that was typed, with the answers of the terminal. */
  get transcript(): string {
    return `${this.#transcript.join('\n\n')}\n`;
  }

  #settings(): Record<string, string> {
    // A dumb terminal has no display that is redrawn, which would depend on timing.
    return { AWS_ENDPOINT_URL: this.running.endpoint, AWS_REGION: 'us-east-1', TERM: 'dumb', LANG: 'C.UTF-8' };
  }
}

/** A bed for one test, at the start of day A, with a policy and no store. */
export async function bed(columns: number): Promise<Bed> {
  const requests = { handled: 0 };
  const clock = quietClock(DAY_A, () => requests.handled);
  const running = await startSandbox({ accounts: 120, seed: 5, drift: 0.3, port: 0, clock });
  const handle = running.sandbox.handle.bind(running.sandbox);
  running.sandbox.handle = (request) => {
    requests.handled += 1;
    return handle(request);
  };
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-transcripts-')));
  onTestFinished(async () => {
    await running.close();
    rmSync(cwd, { recursive: true, force: true });
  });
  const made = new Bed(running, clock, cwd, columns);
  made.write('rollcall.yaml', POLICY);
  return made;
}

/** A terminal shows what is typed. */
function echoed(screen: string, answers: readonly string[]): string {
  return answers.reduce((text, answer) => text.replace(/(\[y\/N\]|to continue:) (?!\S*\n)/, `$1 ${answer}\n`), screen);
}

/** Replaces what differs between two runs: durations in seconds, numbers of AWS calls and sizes of files. Lines of progress are left out. */
function stable(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\d\d:\d\d:\d\dZ /.test(line))
    .join('\n')
    .replace(/\b\d+(?:\.\d)?s\b/g, 'Ns')
    .replace(/\b[\d,]+ AWS calls\b/g, 'N AWS calls')
    .replace(/\b[\d.]+ KiB\b/g, 'N KiB');
}
