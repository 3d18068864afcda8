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
   * Without this, the first ends it.
   */
  finishGracefully(onFirst: () => void): void;
  /** 130 or 143, by what stopped us. */
  readonly exitCode: number;
}

/**
 * One Ctrl-C reaches a child of npm twice: from the terminal, and passed on by npm. Whatever comes within this time, ms, is the same one.
 */
const SAME_MS = 300;

interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: (signal: 'SIGINT' | 'SIGTERM') => void): unknown;
}

export function listenForInterrupts(source: SignalSource, now: () => number, exit: (code: number) => void): Interrupt {
  const controller = new AbortController();
  let onFirst: (() => void) | null = null;
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
    onFirst();
    controller.abort();
  };
  source.on('SIGINT', handle);
  source.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    finishGracefully(tell) {
      onFirst = tell;
    },
    get exitCode() {
      return exitCode;
    },
  };
}
