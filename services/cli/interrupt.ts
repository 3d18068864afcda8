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

/** Signals within this time, ms, count as one: a child of npm receives each Ctrl-C twice, from the terminal and from npm. */
const SAME_MS = 300;

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

export function listenForInterrupts(
  source: SignalSource,
  now: () => number,
  exit: (code: number) => void,
  later: (ms: number, run: () => void) => unknown = inTime,
): Interrupt {
  const controller = new AbortController();
  let onFirst: (() => void) | null = null;
  let bound: Late | undefined;
  let firstAt: number | null = null;
  let exitCode: number = EXIT.interrupted;
  const handle = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (firstAt !== null && now() - firstAt < SAME_MS) return;
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
