import { EXIT } from './exit-codes.ts';

/** Thrown to abandon work when the user asks to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface Interrupt {
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Until this is called, the first signal ends the process. From then on it only aborts `signal` and calls `onFirst`, which informs the user;
   * a second signal ends the process. `late` limits the time that the work may take to finish.
   */
  finishGracefully(onFirst: () => void, late?: Late): void;
  /** 130 after SIGINT, 143 after SIGTERM. */
  readonly exitCode: number;
}

/** The longest time that npm takes to pass on a signal, ms. */
const PASSED_ON_MS = 300;

interface Late {
  readonly ms: number;
  /** Informs the user when time is up. @returns the exit code */
  readonly end: () => number;
}

export interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: (signal: 'SIGINT' | 'SIGTERM') => void): unknown;
}

/** Runs a function later, without keeping the process alive for it. */
const inTime = (ms: number, run: () => void): unknown => setTimeout(run, ms).unref();

export interface InterruptOptions {
  readonly now: () => number;
  readonly exit: (code: number) => void;
  /** Whether each Ctrl-C arrives twice: a child of npm in a terminal receives it from the terminal and from npm. */
  readonly twice?: boolean;
  readonly later?: (ms: number, run: () => void) => unknown;
}

export function listenForInterrupts(
  source: SignalSource,
  { now, exit, twice = false, later = inTime }: InterruptOptions,
): Interrupt {
  const controller = new AbortController();
  let onFirst: (() => void) | null = null;
  let bound: Late | undefined;
  let firstAt: number | null = null;
  /** Whether the next signal may be the copy of the first one. Only one signal is dropped, so that a quick second Ctrl-C still ends the process. */
  let copyExpected = twice;
  let exitCode: number = EXIT.interrupted;
  const handle = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (firstAt !== null && copyExpected && now() - firstAt < PASSED_ON_MS) {
      copyExpected = false;
      return;
    }
    exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    if (onFirst === null || firstAt !== null) {
      exit(exitCode);
      return;
    }
    firstAt = now();
    const { end, ms } = bound ?? {};
    if (end !== undefined && ms !== undefined) later(ms, () => exit(end()));
    onFirst();
    controller.abort();
  };
  source.on('SIGINT', handle);
  source.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    finishGracefully(inform, late) {
      onFirst = inform;
      bound = late;
    },
    get exitCode() {
      return exitCode;
    },
  };
}
