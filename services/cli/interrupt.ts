import { EXIT } from './exit-codes.ts';

/** Thrown where work is left off because the user asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface Interrupt {
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * From now on the first signal only aborts `signal`, and `onFirst` says so to the user; the second one still ends the process at once.
   * Without this, the first ends it. `late`: what is not finished by then is not waited for.
   */
  finishGracefully(onFirst: () => void, late?: Late): void;
  /** 130 or 143, by what stopped us. */
  readonly exitCode: number;
}

/**
 * One Ctrl-C reaches a child of npm twice: from the terminal, and passed on by npm. Whatever comes within this time, ms, is the same one.
 */
const SAME_MS = 300;

interface Late {
  readonly ms: number;
  /** Says so to the user. @returns the exit code */
  readonly end: () => number;
}

export interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: (signal: 'SIGINT' | 'SIGTERM') => void): unknown;
}

/** Runs something later, if the process still lives by then. */
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
    finishGracefully(tell, late) {
      onFirst = tell;
      bound = late;
    },
    get exitCode() {
      return exitCode;
    },
  };
}
