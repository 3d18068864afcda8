import type { OnProgress } from '../../shared/app/context.ts';
import type { CallCounts } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { CliContext } from './context.ts';
import { progressMode, RunProgress } from './ui/progress.ts';

export interface Watch {
  readonly take: OnProgress;
  end(): void;
}

/** Shows the progress of a run, in the way that suits the terminal and the options. */
export function watchRun({ output, config, clock }: CliContext, calls: CallCounts): Watch {
  const mode = progressMode(output, config);
  const progress = new RunProgress({ output, now: clock.now, stream: process.stderr, mode });
  progress.begin(calls);
  return { take: progress.take, end: () => progress.end() };
}
