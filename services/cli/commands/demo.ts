import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnProgress } from '../../../shared/app/context.ts';
import type { Runtime } from '../../../shared/compose/runtime.ts';
import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { countArgument } from '../../../shared/config/arguments.ts';
import { useSandboxOnly } from '../../../shared/config/aws-environment.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { writeTextFile } from '../../../shared/config/text-file.ts';
import { APPLIED, type RunTrigger } from '../../../shared/domain/ledger/run-trigger.ts';
import type { Sandbox } from '../../sandbox/engine/sandbox.ts';
import type { RunningSandbox } from '../../sandbox/start.ts';
import type { RunningApi } from '../api/start-api.ts';
import type { CliContext } from '../context.ts';
import { DEFAULT_HOST, DEFAULT_PORT } from '../definitions/defaults.ts';
import { EXIT } from '../exit-codes.ts';
import type { FinishedRun } from '../run-once.ts';
import { type LoadedPolicy, loadPolicy, withApp } from '../session.ts';
import { runText } from '../ui/run-text.ts';
import { count, duration } from '../ui/words.ts';
import { withProgress } from '../watch.ts';
import { applyExit } from './apply.ts';

export interface DemoFlags {
  readonly once?: boolean;
  readonly port?: string;
}

/** Calls per second: so few that the run is throttled even on a slow machine, and takes long enough to be watched. */
const SANDBOX = { scenario: 'demo', rate: 7, orgRate: 14 } as const;
const DRIFT_EVERY_MS = 10_000;
const DRIFTING = 3;

const POLICY = `# The policy of the demo.
version: 1
defaults:
  computeOptimizer: Active
rules:
  - id: workloads-and-platform
    match: { ou: [/Workloads, /Platform] }
    automation: Active
    organizationRules: AnyAllowed
guardrails:
  maxChanges: { percent: 100, atLeast: 10 }   # adoption in one run; the default is 20% of the accounts
limits:
  callsPerSecond: 100
  concurrency: 16
`;

/**
 * The OUs in which the demo causes drift. Automation is not managed there: after an opt-out AWS refuses the opt-in for 24 hours, so the demo could
 * not show the fix.
 */
const DRIFTING_OUS = ['/Security', '/Sandbox', '/Canary'];

export async function runDemo(context: CliContext, flags: DemoFlags): Promise<number> {
  const { output, interrupt, clock } = context;
  const once = flags.once === true;
  const port = flags.port === undefined ? null : countArgument('--port', flags.port, { min: 0, max: 65_535 });
  const startedAt = clock.now();
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-demo-'));
  const policyFile = join(dataDir, 'rollcall.yaml');
  writeTextFile(policyFile, POLICY, 'draft', 'refuse');
  interrupt.finishGracefully(() => output.note('Stopping: changes in flight will finish and be recorded.'));
  const { startSandbox } = await import('../../sandbox/start.ts');
  const sandbox = await startSandbox({ ...SANDBOX, port: 0 });
  try {
    useSandboxOnly(context.env, {
      endpoint: sandbox.endpoint,
      accountId: sandbox.info.managementAccountId,
      nowhere: dataDir,
    });
    const config = { ...context.config, dataDir };
    const demo: CliContext = { ...context, config, store: storeProfile(config, context.env) };
    const loaded = await loadPolicy(demo, policyFile);
    output.note(
      `A simulated organization of ${count(sandbox.info.accounts, 'account')} answers on ${sandbox.endpoint}, throttled as AWS would.`,
    );
    output.note(`Policy ${policyFile}, data directory ${dataDir}\n`);
    const requests = new ScanRequests();
    const api = once ? null : await openApi(demo, loaded, port, requests);
    try {
      return await withApp(demo, loaded.policy, false, async (app) => {
        const code = await converge(demo, app, { loaded, api }, clock.now() - startedAt);
        if (once || code !== EXIT.ok) return code;
        await keepDrifting(demo, app, { loaded, api, requests }, sandbox);
        return interrupt.signal.aborted ? interrupt.exitCode : EXIT.ok;
      });
    } finally {
      await api?.close();
    }
  } finally {
    await sandbox.close();
  }
}

/** Uses a free port if the default one is taken. */
async function openApi(
  context: CliContext,
  loaded: LoadedPolicy,
  port: number | null,
  requests: ScanRequests,
): Promise<RunningApi> {
  const { startApi } = await import('../api/start-api.ts');
  const open = (at: number) => startApi(context, { host: DEFAULT_HOST, port: at }, loaded, requests.add);
  const api = await open(port ?? DEFAULT_PORT).catch((error: unknown) => {
    if (port === null && error instanceof ConfigError && error.code === 'EADDRINUSE') return open(0);
    throw error;
  });
  context.output.note(`Dashboard ${api.url}\n`);
  return api;
}

/** Scans that an operator requests: the demo starts them without waiting for the next round. */
class ScanRequests {
  #wake = new AbortController();
  #asked: RunTrigger | null = null;

  readonly add = async (asked: RunTrigger): Promise<void> => {
    this.#asked = asked;
    this.#wake.abort();
  };

  /** What started the next run: the latest request, or else the demo's own schedule. */
  take(): RunTrigger {
    const asked = this.#asked ?? { kind: 'schedule', actor: null, reason: null };
    this.#asked = null;
    return asked;
  }

  /** A signal that aborts at the next scan request. */
  next(): AbortSignal {
    this.#wake = new AbortController();
    return this.#wake.signal;
  }
}

interface Watched {
  readonly loaded: LoadedPolicy;
  readonly api: RunningApi | null;
}

/** The main run of the demo, and its summary. */
async function converge(context: CliContext, app: Runtime, watched: Watched, startMs: number): Promise<number> {
  const { output, interrupt, config } = context;
  const { style, width } = output;
  const { program } = config;
  const finished = await oneRun(context, app, watched, { shown: true, trigger: APPLIED });
  output.result(demoDocument(context, finished), () => [
    ...runText(finished, { style, width, policy: watched.loaded.policy, program, again: `${program} apply` }),
    '',
    `Ready in ${duration(startMs)}, run in ${duration(finished.durationMs)}. Next:`,
    ...hints(context, finished).map((line) => `  ${line}`),
  ]);
  return applyExit(finished, interrupt.exitCode);
}

async function oneRun(
  context: CliContext,
  app: Runtime,
  watched: Watched,
  { shown, trigger }: { readonly shown: boolean; readonly trigger: RunTrigger },
): Promise<FinishedRun> {
  const { runOnce } = await import('../run-once.ts');
  const { loaded, api } = watched;
  const run = { runId: app.deps.newId(), policy: loaded.policy, planHash: null, trigger };
  api?.feed.begin(run.runId);
  const work = (show: OnProgress): Promise<FinishedRun> => {
    const onProgress: OnProgress = (event) => {
      api?.feed.take(event);
      show(event);
    };
    return runOnce(app, run, { waitMs: 60_000, stop: context.interrupt.signal, onProgress });
  };
  try {
    return await (shown ? withProgress(context, app.calls, work) : work(() => undefined));
  } finally {
    api?.feed.rest();
  }
}

function demoDocument({ config }: CliContext, finished: FinishedRun) {
  const { result, before, after, calls, durationMs } = finished;
  const { runId, planned, changes, open, interrupted, plan } = result;
  return {
    ...{ dataDir: config.dataDir, runId, planHash: plan.planHash, totals: plan.totals },
    ...{ planned, changes, calls, durationMs, summaryBefore: before, summary: after, open, interrupted },
  };
}

function hints({ config: { program, dataDir } }: CliContext, { result }: FinishedRun): string[] {
  const account = result.plan.changes[0]?.accountId;
  const flag = `--data-dir ${dataDir}`;
  return [
    `${program} status ${flag}`,
    `${program} audit list --limit 20 ${flag}`,
    ...(account === undefined
      ? []
      : [`${program} account ${account} --policy ${join(dataDir, 'rollcall.yaml')} ${flag}`]),
    `${program} audit verify ${flag}`,
  ];
}

/** Makes accounts drift or join regularly, and remediates them each time. */
async function keepDrifting(
  context: CliContext,
  app: Runtime,
  watched: Watched & { readonly requests: ScanRequests },
  { sandbox }: RunningSandbox,
): Promise<void> {
  const { output, interrupt, clock } = context;
  const every = `${DRIFT_EVERY_MS / 1_000} seconds`;
  output.note(
    `\nFrom now on, accounts drift or join every ${every}, and a scan remediates them. Ctrl-C ends the demo.`,
  );
  const stop = AbortSignal.any([interrupt.signal, output.unread]);
  for (let round = 1; !stop.aborted; round += 1) {
    await clock.sleep(DRIFT_EVERY_MS, AbortSignal.any([stop, watched.requests.next()]));
    if (stop.aborted) return;
    output.note(`${time(clock.now())} ${round % 3 === 0 ? joinAccount(sandbox, round) : optOut(sandbox, round)}`);
    const finished = await oneRun(context, app, watched, { shown: false, trigger: watched.requests.take() });
    output.note(`${time(clock.now())} ${runLine(finished, output.noteStyle)}`);
  }
}

function optOut(sandbox: Sandbox, round: number): string {
  const candidates = sandbox.accounts().filter(({ ou, state, management, computeOptimizer }) => {
    return DRIFTING_OUS.includes(ou) && state === 'ACTIVE' && !management && computeOptimizer.status === 'Active';
  });
  const chosen = Array.from({ length: DRIFTING }, (_, at) => candidates[(round * 7 + at * 31) % candidates.length]);
  const ids = [...new Set(chosen.flatMap((account) => (account === undefined ? [] : [account.accountId])))];
  const optedOut = { enrollment: 'computeOptimizer', status: 'Inactive' } as const;
  sandbox.drift({ changes: ids.map((accountId) => ({ accountId, ...optedOut })) });
  return `someone opted ${count(ids.length, 'account')} out of Compute Optimizer: ${ids.join(', ')}`;
}

function joinAccount(sandbox: Sandbox, round: number): string {
  const ids = sandbox.changeAccounts({ add: [{ name: `newcomer-${round / 3}`, ou: '/Sandbox' }] });
  return `an account joined in /Sandbox: ${ids.join(', ')}`;
}

function runLine({ result, before, durationMs }: FinishedRun, style: CliContext['output']['style']): string {
  const { changes, open } = result;
  const found = before.computeOptimizer.Drifted + before.automation.Drifted;
  const end =
    open.length === 0 ? style('green', 'all managed accounts comply') : `${count(open.length, 'open drift')} left`;
  return `the scan found ${count(found, 'drift')}; ${count(changes.attempted, 'change')} in ${duration(durationMs)}: ${end}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
