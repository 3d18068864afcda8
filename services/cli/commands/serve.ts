import { countArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { RunningApi } from '../api/start-api.ts';
import type { CliContext } from '../context.ts';
import { DEFAULT_PORT } from '../definitions/defaults.ts';
import { EXIT } from '../exit-codes.ts';
import { serveUntilStopped } from '../serving.ts';
import { type LoadedPolicy, loadPolicy, STDIN, withApp } from '../session.ts';

export interface ServeFlags {
  readonly policy?: string;
  readonly port?: string;
  readonly host: string;
}

/**
 * Maximum time to stop, ms: less than the 30 s after which ECS and Kubernetes kill a process. A call in flight usually ends within a second.
 * The next worker settles unfinished changes, as after a crash.
 */
const STOP_MS = 25_000;

export async function runServe(context: CliContext, flags: ServeFlags): Promise<number> {
  const { output, interrupt, clock } = context;
  if (flags.policy === STDIN) {
    throw new ConfigError(
      'Usage',
      'serve reloads its policy when it changes, so it cannot read it from stdin. Name a file with --policy.',
    );
  }
  const loaded = await loadPolicy(context, flags.policy);
  const say = (text: string): void => output.note(`${new Date(clock.now()).toISOString()} ${text}`);
  await context.store.upgrade(context.clock);
  // Opens and closes the app once, so that wrong credentials are reported before anything is created on disk.
  await withApp(context, loaded.policy, true, async () => undefined);
  const api = await openApi(context, flags, loaded, say);
  const exitCode = (): number =>
    // SIGTERM is how a daemon is normally stopped, so it counts as success; Ctrl-C counts as an interruption.
    interrupt.exitCode === EXIT.interrupted ? EXIT.interrupted : EXIT.ok;
  const late = (): number => {
    say('stopped: unfinished changes are left to the next process');
    return exitCode();
  };
  interrupt.finishGracefully(
    () => say('stopping: calls in flight will finish and be recorded, other work returns to the queue'),
    { ms: STOP_MS, end: late },
  );
  const stop = interrupt.signal;
  const served = await serveUntilStopped(context, { loaded, api, say, detail: say, stop }).finally(() => api?.close());
  say('stopped');
  if (output.json) output.document(served);
  return exitCode();
}

/**
 * Opens the API and the dashboard. If another process has the default port, serve works without them.
 * @returns `null` if this process does not serve them
 */
async function openApi(
  context: CliContext,
  flags: ServeFlags,
  loaded: LoadedPolicy,
  say: (text: string) => void,
): Promise<RunningApi | null> {
  const { host } = flags;
  const port = flags.port === undefined ? DEFAULT_PORT : countArgument('--port', flags.port, { min: 0, max: 65_535 });
  const { startApi } = await import('../api/start-api.ts');
  try {
    const api = await startApi(context, { host, port }, loaded);
    say(`API and dashboard at ${api.url}`);
    return api;
  } catch (error) {
    if (flags.port !== undefined || !(error instanceof ConfigError) || error.code !== 'EADDRINUSE') throw error;
    say(`no dashboard from this process: ${error.message}`);
    return null;
  }
}
