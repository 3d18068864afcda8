import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { DEMO_SANDBOX, runDemo } from '../../services/cli/commands/demo.ts';
import type { Run } from '../../services/cli/context.ts';
import { type Interrupt, listenForInterrupts } from '../../services/cli/interrupt.ts';
import { runCommand } from '../../services/cli/run-command.ts';
import { Output } from '../../services/cli/ui/output.ts';
import type { EmbeddedStore } from '../../shared/adapters/embedded/store.ts';
import { openStore } from '../../shared/compose/stores/open-embedded.ts';
import { readConfig } from '../../shared/config/config.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { IdleTime } from '../support/idle-time.ts';

// The demo imports these while it runs. Time must not pass while they are loaded.
import '../../services/cli/api/start-api.ts';
import '../../services/cli/commands/controls.ts';
import '../../services/cli/demo/play.ts';
import '../../services/cli/demo/story.ts';
import '../../services/cli/demo/tour.ts';
import '../../services/cli/maintenance.ts';
import '../../services/cli/run-once.ts';
import '../../services/sandbox/start.ts';
import '../../shared/app/guardrails/controls.ts';
import '../../shared/app/operator/apply-controls.ts';
import '../../shared/app/operator/resume-contested.ts';
import '../../shared/app/queries/resumed-accounts.ts';
import '../../shared/app/runtime/daemon.ts';
import '../../shared/app/support/graceful-stop.ts';
import '../../shared/compose/own-arn.ts';
import '../../shared/compose/runtime.ts';
import '../../shared/config/policy-file.ts';
import '../../shared/domain/policy/index.ts';

/** 2 November 2026, 09:00 UTC. */
const START = Date.UTC(2026, 10, 2, 9);
/** Time that cannot pass because nothing sleeps: the demo waits for a thread. ms */
const WAIT_MS = 5;

export interface Line {
  /** Epoch ms. */
  readonly at: number;
  readonly text: string;
}

/** The real demo in this process: sandbox behind its port, embedded store, daemon, thread of the API; only its time is simulated. */
export class SimulatedDemo {
  readonly clock = new IdleTime(START);
  readonly lines: Line[] = [];
  readonly #environment = { ...process.env };
  readonly #interrupt: Interrupt;
  readonly #running: Promise<number>;
  #press: (signal: 'SIGINT') => void = () => undefined;
  #code: number | null = null;

  constructor() {
    this.#interrupt = listenForInterrupts(
      {
        on: (event, listener) => {
          if (event === 'SIGINT') this.#press = listener;
        },
      },
      { now: this.clock.now, exit: () => undefined },
    );
    const organization = { ...DEMO_SANDBOX, latencyMs: 0 };
    this.#running = this.#run('.rollcall', (context) => runDemo(context, { port: '0', tour: true }, organization));
    this.#running.then(
      (code) => {
        this.#code = code;
      },
      (error: unknown) => {
        this.#code = -1;
        this.#say(String(error));
      },
    );
  }

  /** What the demo and commands print, line by line. */
  texts(): readonly string[] {
    return this.lines.map(({ text }) => text);
  }

  /** When the first line that matches was printed, epoch ms. @throws if none was */
  timeOf(pattern: RegExp): number {
    const found = this.lines.find(({ text }) => pattern.test(text));
    if (found === undefined) throw new Error(`the demo has not printed ${pattern}:\n${this.texts().join('\n')}`);
    return found.at;
  }

  get dataDir(): string {
    const [, directory] = /data directory (\S+)/.exec(this.texts().join('\n')) ?? [];
    if (directory === undefined) throw new Error('the demo has not printed its data directory');
    return directory;
  }

  /** Lets time pass until a line matches. */
  async untilSaid(pattern: RegExp): Promise<void> {
    const from = this.lines.length;
    await this.#pass(() => this.lines.slice(from).some(({ text }) => pattern.test(text)));
  }

  /** Lets time pass until it is this many hours after the demo was started. */
  async untilHour(hour: number): Promise<void> {
    await this.#pass(() => this.clock.now() >= START + hour * 3_600_000);
  }

  /** Runs a command on the demo's store while the demo goes on. */
  async command(run: Run): Promise<number> {
    let over = false;
    const ended = this.#run(this.dataDir, run).finally(() => {
      over = true;
    });
    // The caller gets the error when time has passed.
    ended.catch(() => undefined);
    await this.#pass(() => over);
    return ended;
  }

  /** Reads the store like a command. */
  async read<T>(use: (store: EmbeddedStore) => Promise<T>): Promise<T> {
    const store = await openStore({ dataDir: this.dataDir, clock: this.clock, readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  /** Every entry of the audit log that the retention has kept, oldest first. */
  entries(): Promise<readonly LedgerEntry[]> {
    return this.read(async ({ ledger }) => {
      const all: LedgerEntry[] = [];
      let cursor: string | null = null;
      do {
        const page = await ledger.query({}, { limit: 1_000, order: 'oldestFirst', cursor });
        all.push(...page.entries);
        cursor = page.next;
      } while (cursor !== null);
      return all;
    });
  }

  /** Bytes of the file of the store. */
  storeBytes(): number {
    return statSync(join(this.dataDir, 'rollcall.db')).size;
  }

  /** Presses Ctrl-C, unless the demo has ended. @returns the exit code */
  async stop(): Promise<number> {
    this.#press('SIGINT');
    await this.#pass(() => this.#code !== null);
    for (const name of Object.keys(process.env)) if (!(name in this.#environment)) delete process.env[name];
    Object.assign(process.env, this.#environment);
    rmSync(this.dataDir, { recursive: true, force: true });
    return this.#running;
  }

  async #pass(over: () => boolean): Promise<void> {
    const end = (): boolean => over() || this.#code !== null;
    for (;;) {
      await this.clock.run(end);
      if (end()) break;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    if (!over()) throw new Error(`the demo has ended:\n${this.texts().slice(-20).join('\n')}`);
  }

  #run(dataDir: string, run: Run): Promise<number> {
    const { env } = process;
    const stream = {
      write: (text: string, done?: () => void): void => {
        this.#say(text);
        done?.();
      },
      on: () => undefined,
    };
    const flags = { dataDir, verbose: false, json: false, store: 'embedded', color: false };
    const config = readConfig(flags, env);
    const output = new Output(stream, stream, config);
    const context = {
      config,
      env,
      output,
      input: () => new PassThrough(),
      interrupt: this.#interrupt,
      clock: this.clock,
    };
    return runCommand(run, context);
  }

  #say(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.lines.push({ at: this.clock.now(), text: line });
    this.clock.stir();
  }
}
