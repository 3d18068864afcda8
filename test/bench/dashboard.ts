import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Daemon, driftAndScan, startDaemon } from './daemon.ts';
import { type Figure, figure, median, NO_TARGET, round } from './figure.ts';
import type { Sandbox } from './sandbox.ts';
import { accountsOr, roundsOr } from './size.ts';
import { elapsed, inDirectory } from './workbench.ts';

const ACCOUNTS = 10_000;
/** Accounts that drift at the start: more than are remediated during the measurement. */
const DRIFTED = 0.5;
const CALLS_PER_SECOND = 100;
const ROUNDS = 3;
/** The duration of each measurement of the rate, ms, alternately with and without the readers. */
const WINDOW_MS = 10_000;
/** Time for the readers to read everything before the measurement begins, ms. */
const SETTLE_MS = 2_000;
/** The tabs open one after the other, this far apart, ms: faster than a person opens them. */
const OPEN_EVERY_MS = 250;
const SCRAPES = 10;
/** Between two scrapes, so that accounts change meanwhile, ms. */
const SCRAPE_PAUSE_MS = 200;

const opened = z.array(z.object({ cardMs: z.number(), tableMs: z.number(), responses: z.number(), bytes: z.number() }));
const requests = z.array(z.object({ route: z.string(), ms: z.number(), status: z.number() }));
type Opened = z.infer<typeof opened>[number];
type Requests = z.infer<typeof requests>;

interface Measured {
  readonly quiet: number[];
  readonly busy: number[];
  readonly opened: Opened[];
  readonly requests: Requests[];
  /** The requests of tabs that all open at the same moment. */
  readonly together: Requests[];
  /** Durations of scrapes of `/metrics` while accounts are remediated, ms; the median of each round. */
  readonly scrapes: number[];
}

/** The dashboard while the daemon remediates 4,000 of 10,000 accounts: times in a browser, API latency, and the remediation rate. */
export async function dashboard(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: accountsOr(ACCOUNTS), drift: 0 });
  try {
    return await inDirectory(async (directory) => {
      const daemon = await startDaemon(sandbox, directory, CALLS_PER_SECOND);
      try {
        return judge(await measured(sandbox, daemon));
      } finally {
        await daemon.close();
      }
    });
  } finally {
    await sandbox.close();
  }
}

async function measured(sandbox: Sandbox, daemon: Daemon): Promise<Measured> {
  const found: Measured = { quiet: [], busy: [], opened: [], requests: [], together: [], scrapes: [] };
  // A checkout bundles the pages at the first request for one. In the npm package they are built already.
  await (await fetch(daemon.url)).arrayBuffer();
  await driftAndScan(sandbox, daemon.url, DRIFTED);
  const accounts = await sandbox.accounts();
  const reader = { url: daemon.url, accountId: accounts[0]?.accountId, runId: await currentRun(daemon.url) };
  const forMs = SETTLE_MS + WINDOW_MS + 1_000;
  const readTabs = (openEveryMs: number): Promise<Requests> =>
    runTask('dashboard-tabs', { ...reader, forMs, openEveryMs }, requests, null);
  for (let n = 0; n < roundsOr(ROUNDS); n += 1) {
    found.quiet.push(await rate(sandbox));
    found.scrapes.push(await scrapeMs(daemon.url));
    const tabs = readTabs(OPEN_EVERY_MS);
    await sleep(SETTLE_MS);
    found.busy.push(await rate(sandbox));
    found.requests.push(await tabs);
    const pictures = process.env['ROLLCALL_BENCH_PICTURES'] ?? null;
    const shown = { url: daemon.url, rounds: 1, accounts: accounts.length, pictures };
    found.opened.push(...(await runTask('dashboard-browser', shown, opened, null)));
  }
  // `rate` fails if the remediation has ended meanwhile.
  const [together] = await Promise.all([readTabs(0), rate(sandbox)]);
  found.together.push(together);
  return found;
}

async function currentRun(url: string): Promise<string> {
  const runs = z.object({ runs: z.array(z.object({ runId: z.string() })) });
  const response = await fetch(`${url}api/runs?limit=1`);
  const [run] = runs.parse(await response.json()).runs;
  if (run === undefined) throw new Error('there is no run');
  return run.runId;
}

async function scrapeMs(url: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < SCRAPES; n += 1) {
    const start = performance.now();
    await (await fetch(new URL('/metrics', url))).text();
    times.push(elapsed(start));
    await sleep(SCRAPE_PAUSE_MS);
  }
  return median(times);
}

/** Changes a second. */
async function rate(sandbox: Sandbox): Promise<number> {
  const before = await sandbox.mutatingCalls();
  const start = performance.now();
  await sleep(WINDOW_MS);
  const after = await sandbox.mutatingCalls();
  const seconds = elapsed(start) / 1_000;
  if (after.count === before.count) throw new Error('all accounts were remediated before the end of the measurement');
  return (after.count - before.count) / seconds;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

const p95 = (each: Requests): number =>
  percentile(
    each.map(({ ms }) => ms),
    0.95,
  );

function judge({ quiet, busy, opened: shown, requests: all, together, scrapes }: Measured): readonly Figure[] {
  const world = `${accountsOr(ACCOUNTS)} accounts, of which ${DRIFTED * 100}% are being remediated`;
  const routes = Map.groupBy(all.flat(), ({ route }) => route);
  const latencies = Object.fromEntries(
    [...routes].map(([route, each]) => {
      const ms = each.map((request) => request.ms);
      const failed = each.filter(({ status }) => status !== 200).length;
      return [
        route,
        {
          requests: ms.length,
          failed,
          medianMs: round(median(ms)),
          p95Ms: round(percentile(ms, 0.95)),
          maxMs: round(Math.max(...ms)),
        },
      ];
    }),
  );
  const ms = (name: string, atMost: number, of: (each: Opened) => number): Figure =>
    figure({ name: `dashboard, ${name}`, unit: 'ms', target: { atMost }, bound: world, runs: shown.map(of) });
  return [
    ms('first card of the overview', 2_000, ({ cardMs }) => cardMs),
    ms('first row of the list of accounts', 2_500, ({ tableMs }) => tableMs),
    figure({
      ...{ name: 'dashboard, responses for the list of accounts', unit: 'responses', target: { atMost: 1 } },
      runs: shown.map(({ responses }) => responses),
      detail: { kilobytes: shown.map(({ bytes }) => round(bytes / 1_000)) },
    }),
    figure({
      ...{ name: 'dashboard, p95 of the requests of one tab for each page', unit: 'ms', target: { atMost: 250 } },
      runs: all.map(p95),
      detail: { latencies, openEveryMs: OPEN_EVERY_MS },
    }),
    figure({
      ...{ name: 'dashboard, the same if all tabs open at the same moment', unit: 'ms', target: NO_TARGET },
      runs: together.map(p95),
    }),
    figure({
      ...{ name: 'dashboard, remediation with these tabs', unit: '× the rate without them', target: { atLeast: 0.9 } },
      runs: busy.map((perSecond, n) => perSecond / (quiet[n] ?? Number.NaN)),
      bound: `limits.callsPerSecond: ${CALLS_PER_SECOND}`,
      comparedTo: `without them: ${round(median(quiet))} changes/s`,
    }),
    figure({
      ...{ name: 'dashboard, a scrape of /metrics', unit: 'ms', target: { atMost: 250 } },
      ...{ runs: scrapes, bound: world },
    }),
    figure({
      ...{ name: 'dashboard, kilobytes', unit: 'kB', target: NO_TARGET },
      runs: shown.map(({ bytes }) => bytes / 1_000),
    }),
  ];
}
