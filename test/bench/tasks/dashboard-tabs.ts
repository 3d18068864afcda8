import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import * as z from 'zod';
import { READ } from '../../../services/dashboard/browser/endpoints.ts';
import { answer, elapsed, taskInput } from '../workbench.ts';

/*
 * One tab of the dashboard for each of its pages, without a browser: each follows the events and reads its data again after changes, with the
 * delays of `services/dashboard/browser/live.ts`. Answers with every request and its duration, from the start until the whole body has arrived.
 */

const input = z.object({
  ...{ url: z.string(), accountId: z.string(), runId: z.string(), forMs: z.number() },
  /** One tab opens after the other, this far apart, ms. */
  openEveryMs: z.number(),
});
const { url, accountId, runId, forMs, openEveryMs } = input.parse(taskInput());

const SETTLE_MS = 1_500;
const SLOW_MS = 10_000;
const SPREAD = 0.4;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_STEP_MS = HOUR_MS / 12;

type Read = () => Promise<void>;

interface Tab {
  /** Read when the page opens, and soon after each change. */
  readonly soon: readonly Read[];
  /** Read when the page opens, and some seconds after each change. */
  readonly slow: readonly Read[];
}

const requests: { readonly route: string; readonly ms: number; readonly status: number }[] = [];
const ended = AbortSignal.timeout(forMs);

/** The path without ids and query, as `/api/runs/{id}`. */
const routeOf = (path: string): string =>
  (path.split('?')[0] ?? '').replace(/\/(\d{12}|[0-9A-Z]{26})(?=\/|$)/, '/{id}');

async function read(path: string): Promise<string> {
  const start = performance.now();
  const response = await fetch(new URL(path, url), { signal: ended });
  const text = await response.text();
  requests.push({ route: routeOf(path), ms: elapsed(start), status: response.status });
  return text;
}

const reading =
  (path: string): Read =>
  async () => {
    await read(path);
  };

/** The first page of the list, worst first, and the values to filter by. */
async function readAccounts(): Promise<void> {
  await Promise.all([read(READ.accounts({ sort: 'severity' }, 0)), read(READ.accountFacets)]);
}

async function readReport(): Promise<void> {
  const now = Date.now();
  // As in `parts/history.tsx`.
  const start = Math.floor((now - HOUR_MS) / START_STEP_MS) * START_STEP_MS;
  await read(READ.report(new Date(start).toISOString(), new Date(now).toISOString(), '30s'));
}

const dayStart = (): string => new Date(Math.floor((Date.now() - DAY_MS) / 60_000) * 60_000).toISOString();

/** What the frame of every page reads. */
const FRAME = { soon: [reading(READ.status)], slow: [reading(READ.whoami), reading(READ.verification)] };
const [overview, deadLetters] = [reading(READ.overview), reading(READ.deadLetters)];
/** Overview, accounts, an account, runs, a run, audit log, policy, operations. */
const PAGES: readonly Tab[] = [
  { soon: [overview, deadLetters], slow: [readReport, () => reading(READ.markers(dayStart()))()] },
  { soon: [], slow: [readAccounts] },
  { soon: [reading(READ.account(accountId))], slow: [] },
  { soon: [reading(READ.runs())], slow: [] },
  { soon: [reading(READ.run(runId)), reading(READ.runChanges(runId, {}))], slow: [] },
  {
    soon: [() => reading(READ.audit({ since: dayStart() }))()],
    slow: [() => reading(READ.auditSummary({ since: dayStart() }))()],
  },
  { soon: [], slow: [reading(READ.policy), reading(READ.policyVersions)] },
  { soon: [reading(READ.limiter), deadLetters, overview, reading(READ.policy)], slow: [] },
];
const TABS = PAGES.map(({ soon, slow }) => ({ soon: [...FRAME.soon, ...soon], slow: [...FRAME.slow, ...slow] }));

/** Reads once now and once more after each change, `delayMs` after the first of several changes; never twice at the same time. */
async function follow(work: Read, delayMs: number, changed: () => Promise<void>): Promise<never> {
  for (;;) {
    await work();
    await changed();
    await sleep(delayMs * (1 + SPREAD * Math.random()), undefined, { signal: ended });
  }
}

/** Follows the events. @returns a function that waits for the next entry */
async function followEvents(): Promise<() => Promise<void>> {
  let waiting = Promise.withResolvers<void>();
  const parser = createParser({
    onEvent: ({ event }) => {
      if (event === 'progress') return;
      waiting.resolve();
      waiting = Promise.withResolvers<void>();
    },
  });
  const response = await fetch(new URL(READ.events, url), { signal: ended });
  if (!response.ok || response.body === null) throw new Error(`no events: ${response.status}`);
  const body = response.body.pipeThrough(new TextDecoderStream());
  void (async () => {
    for await (const text of body) parser.feed(text);
  })().catch(failUnlessEnded);
  return () => waiting.promise;
}

async function open({ soon, slow }: Tab, index: number): Promise<void> {
  await sleep(index * openEveryMs, undefined, { signal: ended });
  const changed = await followEvents();
  const repeated = [
    ...soon.map((work) => follow(work, SETTLE_MS, changed)),
    ...slow.map((work) => follow(work, SLOW_MS, changed)),
  ];
  await Promise.all(repeated);
}

function failUnlessEnded(error: unknown): void {
  if (!ended.aborted) throw error;
}

await Promise.race([sleep(forMs), Promise.all(TABS.map((tab, index) => open(tab, index).catch(failUnlessEnded)))]);
answer(requests);
