import type { OnProgress } from '../../shared/app/context.ts';
import type { CallCounts } from '../../shared/app/rate-limiter/rate-limiter.ts';
import type { Runtime } from '../../shared/compose/runtime.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { CliContext } from './context.ts';
import { withApp } from './session.ts';
import { progressMode, RunProgress } from './ui/progress.ts';

/** Runs `work` and shows its progress, in the way that suits the terminal and the options. `calls` is updated while it runs. */
export async function withProgress<T>(
  { output, config, clock }: CliContext,
  calls: CallCounts,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const mode = progressMode(output, config);
  const progress = new RunProgress({ output, now: clock.now, stream: process.stderr, mode });
  progress.begin(calls);
  try {
    return await work(progress.take);
  } finally {
    progress.end();
  }
}

/** Reads from AWS with a runtime that changes neither AWS nor the store, and shows the progress. */
export function readWithProgress<T>(
  context: CliContext,
  policy: CompiledPolicy,
  read: (app: Runtime, onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  return withApp(context, policy, true, (app) =>
    withProgress(context, app.calls, (onProgress) => read(app, onProgress)),
  );
}
