import { type ApplyOptions, apply } from '../../shared/app/runtime/apply.ts';
import { serve } from '../../shared/app/runtime/daemon.ts';
import { createRuntime } from '../../shared/compose/runtime.ts';
import { embeddedStore } from '../../shared/compose/stores/embedded.ts';
import { type ChildParts, childParts } from './world-child-parts.ts';
import { worldClock } from './world-clock.ts';
import { compiled } from './world-policy.ts';

/*
 * A process with one run against the world of its parent, which it reaches through the SDK's environment variables. Its only argument is JSON
 * (`ChildParts`). Prints `ready`, then one JSON line with the result.
 */
const { dataDir, text, waitMs, serves, time }: ChildParts = childParts.parse(JSON.parse(process.argv[2] ?? ''));
const clock = worldClock(time);
const ignore = (): void => undefined;
const policy = compiled(text, clock.now());
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const app = await createRuntime(embeddedStore(dataDir), { policy, logger, clock });
try {
  const stop = new AbortController().signal;
  const run = { runId: app.deps.newId(), policy, planHash: null };
  const options: ApplyOptions = {
    waitMs,
    stop,
    onProgress: ignore,
  };
  process.stdout.write('ready\n');
  if (serves) {
    await serve(app.deps, app.settings, app.retrying, policy, {
      ...{ stop, onProgress: ignore, onScanStarted: ignore, onScan: ignore },
      onWaiting: (scan) => void process.stdout.write(`waiting ${JSON.stringify(scan)}\n`),
      onError: (what, error) => void process.stderr.write(`${what} broke off: ${String(error)}\n`),
    });
  }
  const { changes, open, stopped } = await apply(app.deps, app.settings, app.retrying, run, options);
  process.stdout.write(`${JSON.stringify({ changes, open, stopped })}\n`);
} finally {
  await app.close();
}
