import { chanceOf, seedOf } from './chance.ts';
import { Finding, type Read, type Target } from './target.ts';

const LIMIT_MS = 1_000;
export const LIMIT_BYTES = 512 * 1024 * 1024;

export interface RunOptions {
  readonly cases: number;
  readonly seed: number;
  /** The first case to run (default 0). */
  readonly from?: number;
  /** Called before each case, so that another process can detect a case that hangs. */
  readonly onCase?: (index: number) => void;
  /** Ends the run with the first finding (default true). */
  readonly stopAtFirst?: boolean;
}

interface Found {
  /** The case; −1 for one of the corpus. */
  readonly index: number;
  readonly message: string;
  readonly input: string;
  readonly stack: string;
}

export interface Outcome {
  readonly target: string;
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  /** CPU time of the slowest case, ms. */
  readonly slowestMs: number;
  /** Peak resident memory of the process. */
  readonly peakBytes: number;
  readonly found: Found[];
}

/** Runs a target's corpus, then its cases. */
export async function runTarget(target: Target, options: RunOptions): Promise<Outcome> {
  const { cases, seed, from = 0, onCase, stopAtFirst = true } = options;
  const opened = await target.open();
  const counts = { accepted: 0, refused: 0 };
  const found: Found[] = [];
  let [slowestMs, done] = [0, 0];

  const one = async (index: number, make: () => Read) => {
    onCase?.(index);
    const read = make();
    const before = cpuMs();
    try {
      counts[await read()] += 1;
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const cause = error.cause instanceof Error ? error.cause : error;
      found.push({ index, message: error.message, input: error.input, stack: cause.stack ?? '' });
    }
    done += 1;
    const ms = cpuMs() - before;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > LIMIT_MS) found.push({ index, message: `took ${Math.round(ms)} ms of CPU time`, input: '', stack: '' });
    if (done % 256 === 0) {
      // Yield to the event loop, because some targets never wait.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  try {
    for (const read of opened.corpus) {
      await one(-1, () => read);
      if (stopAtFirst && found.length > 0) break;
    }
    for (let index = from; index < from + cases; index += 1) {
      if (found.length > (stopAtFirst ? 0 : 19)) break;
      await one(index, () => opened.make(chanceOf(seedOf(target.name, seed, index))));
    }
  } finally {
    await opened.close();
  }
  // The peak over the whole life of the process, also within a case.
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  return { target: target.name, cases: done, ...counts, slowestMs, peakBytes, found };
}

/** CPU time of this thread, because wall-clock time includes other processes on a busy machine. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The cases of each target, by their shares. */
export function shared(targets: readonly Target[], cases: number): readonly (readonly [Target, number])[] {
  const whole = targets.reduce((sum, { share }) => sum + share, 0);
  return targets.map((target) => [target, Math.ceil((cases * target.share) / whole)]);
}
