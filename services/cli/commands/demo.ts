import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnProgress } from '../../../shared/app/context.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { useSandboxOnly } from '../../../shared/config/aws-environment.ts';
import { isCheckout, programOf } from '../../../shared/config/config.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { quoted } from '../../../shared/domain/check-result.ts';
import { APPLIED } from '../../../shared/domain/ledger/run-trigger.ts';
import type { RunningSandbox, StartOptions } from '../../sandbox/start.ts';
import type { RunningApi } from '../api/start-api.ts';
import type { CliContext } from '../context.ts';
import { DEFAULT_HOST, DEFAULT_PORT } from '../definitions/defaults.ts';
import { KEY_NAME, POLICY_NAME, PolicyFile } from '../demo/policy.ts';
import { EXIT } from '../exit-codes.ts';
import type { FinishedRun } from '../run-once.ts';
import { type LoadedPolicy, loadPolicy, withApp } from '../session.ts';
import { runText } from '../ui/run-text.ts';
import { count, duration } from '../ui/words.ts';
import { withProgress } from '../watch.ts';
import { applyExit } from './apply.ts';

export interface DemoFlags {
  readonly once?: boolean;
  readonly tour?: boolean;
  readonly port?: string;
}

/** Calls per second: so few that the run is throttled even on a slow machine, and takes long enough to be watched. */
export const DEMO_SANDBOX = { scenario: 'demo', rate: 7, orgRate: 14 } as const satisfies StartOptions;

/** @param organization the simulated organization; tests pass one that answers without latency */
export async function runDemo(
  context: CliContext,
  flags: DemoFlags,
  organization: StartOptions = DEMO_SANDBOX,
): Promise<number> {
  const { output, interrupt, clock } = context;
  const { once = false, tour = false } = flags;
  if (once && tour) throw new ConfigError('Usage', '--once ends before the tour begins; use --once or --tour.');
  const port = flags.port === undefined ? null : countArgument('--port', flags.port, { min: 0, max: 65_535 });
  const startedAt = clock.now();
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-demo-'));
  const policy = new PolicyFile(join(dataDir, POLICY_NAME));
  interrupt.finishGracefully(() => output.note('Stopping: changes in flight will finish and be recorded.'));
  const { startSandbox } = await import('../../sandbox/start.ts');
  const sandbox = await startSandbox({ ...organization, port: 0, clock });
  try {
    useSandboxOnly(context.env, {
      endpoint: sandbox.endpoint,
      accountId: sandbox.info.managementAccountId,
      nowhere: dataDir,
    });
    const { newCheckpointKey } = await import('../../../shared/compose/checkpoints.ts');
    await newCheckpointKey(join(dataDir, KEY_NAME), null);
    context.env['ROLLCALL_CHECKPOINT_KEY'] = join(dataDir, KEY_NAME);
    const config = { ...context.config, dataDir };
    const demo: CliContext = { ...context, config, store: storeProfile(config, context.env) };
    const loaded = await loadPolicy(demo, policy.path);
    output.note(
      `A simulated organization of ${count(sandbox.info.accounts, 'account')} answers on ${sandbox.endpoint}, throttled as AWS would.`,
    );
    output.note(`Policy ${policy.path}, data directory ${dataDir}\n`);
    const api = once ? null : await openApi(demo, loaded, port);
    try {
      const startMs = clock.now() - startedAt;
      const code = await withApp(demo, loaded.policy, false, (app) => converge(demo, app, { loaded, api }, startMs));
      if (api === null || code !== EXIT.ok) return code;
      await goOn(demo, { sandbox, policy, loaded, api, tour });
      return interrupt.signal.aborted ? interrupt.exitCode : EXIT.ok;
    } finally {
      await api?.close();
    }
  } finally {
    await sandbox.close();
  }
}

interface Going {
  readonly sandbox: RunningSandbox;
  readonly policy: PolicyFile;
  readonly loaded: LoadedPolicy;
  readonly api: RunningApi;
  readonly tour: boolean;
}

/** Serves until Ctrl-C, while the story makes accounts drift. */
async function goOn(context: CliContext, { sandbox, policy, loaded, api, tour }: Going): Promise<void> {
  const { output, interrupt, clock, config } = context;
  const [{ Story }, { playStory }, { tourLines }] = await Promise.all([
    import('../demo/story.ts'),
    import('../demo/play.ts'),
    import('../demo/tour.ts'),
  ]);
  const program = programOf(context.env);
  const command = (words: string): string => `${program} ${words} --data-dir ${quoted(config.dataDir)}`;
  const say = (text: string): void => output.note(`${time(clock.now())} ${text}`);
  const story = new Story({ sandbox: sandbox.sandbox, policy, say, now: clock.now, command });
  const lines = tour
    ? tourLines({
        cast: story.cast,
        url: api.url,
        endpoint: sandbox.endpoint,
        accounts: sandbox.info.accounts,
        dataDir: config.dataDir,
        program: config.program,
      })
    : [
        'From now on people change enrollments, and Rollcall fixes them. Ctrl-C ends the demo.',
        `What to look at, in order: ${isCheckout(context.env) ? 'npm start --' : `${program} demo`} --tour`,
      ];
  output.note(`\n${lines.join('\n')}\n`);
  const stop = AbortSignal.any([interrupt.signal, output.unread]);
  await playStory(context, { story, loaded, api, say, stop });
}

/** Uses a free port if the default one is taken. */
async function openApi(context: CliContext, loaded: LoadedPolicy, port: number | null): Promise<RunningApi> {
  const { startApi } = await import('../api/start-api.ts');
  const open = (at: number) => startApi(context, { host: DEFAULT_HOST, port: at }, loaded);
  const api = await open(port ?? DEFAULT_PORT).catch((error: unknown) => {
    if (port === null && error instanceof ConfigError && error.code === 'EADDRINUSE') return open(0);
    throw error;
  });
  context.output.note(`Dashboard ${api.url}\n`);
  return api;
}

interface Watched {
  readonly loaded: LoadedPolicy;
  readonly api: RunningApi | null;
}

/** The run that makes the organization comply, and its summary. */
async function converge(context: CliContext, app: Runtime, watched: Watched, startMs: number): Promise<number> {
  const { output, interrupt, config } = context;
  const { style, width } = output;
  const { program } = config;
  const finished = await oneRun(context, app, watched);
  output.result(demoDocument(context, finished), () => [
    ...runText(finished, { style, width, policy: watched.loaded.policy, program, again: `${program} apply` }),
    '',
    `Ready in ${duration(startMs)}, run in ${duration(finished.durationMs)}. Next:`,
    ...hints(context, finished).map((line) => `  ${line}`),
  ]);
  return applyExit(finished, false, interrupt.exitCode);
}

async function oneRun(context: CliContext, app: Runtime, watched: Watched): Promise<FinishedRun> {
  const { runOnce } = await import('../run-once.ts');
  const { loaded, api } = watched;
  const run = { runId: app.deps.newId(), policy: loaded.policy, planHash: null, trigger: APPLIED };
  api?.feed.begin(run.runId);
  const work = (show: OnProgress): Promise<FinishedRun> => {
    const onProgress: OnProgress = (event) => {
      api?.feed.take(event);
      show(event);
    };
    return runOnce(app, run, { waitMs: 60_000, stop: context.interrupt.signal, onProgress });
  };
  try {
    return await withProgress(context, app.calls, work);
  } finally {
    api?.feed.rest();
  }
}

function demoDocument({ config }: CliContext, finished: FinishedRun) {
  const { result, before, after, calls, durationMs } = finished;
  const { runId, planned, changes, open, interrupted, plan } = result;
  return {
    dataDir: config.dataDir,
    runId,
    planHash: plan.planHash,
    totals: plan.totals,
    planned,
    changes,
    calls,
    durationMs,
    summaryBefore: before,
    summary: after,
    open,
    interrupted,
  };
}

function hints({ config: { program, dataDir } }: CliContext, { result }: FinishedRun): string[] {
  const account = result.plan.changes[0]?.accountId;
  const flag = `--data-dir ${dataDir}`;
  return [
    `${program} status ${flag}`,
    `${program} audit list --limit 20 ${flag}`,
    ...(account === undefined ? [] : [`${program} account ${account} --policy ${join(dataDir, POLICY_NAME)} ${flag}`]),
    `${program} audit verify ${flag}`,
  ];
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
