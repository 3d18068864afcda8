import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, median, round } from './figure.ts';
import type { Sandbox } from './sandbox.ts';
import { inDirectory } from './workbench.ts';

const ACCOUNTS = 10_000;
const LATENCY_MS = 40;
const SCANS_OF_TAGS = 2;
/** Page size of GetEnrollmentStatusesForOrganization and ListAccounts, in accounts. */
const STATUSES_A_PAGE = 100;
const ACCOUNTS_A_PAGE = 20;

/** The number of rules of a large policy; none changes the desired state. */
const POLICY = `defaults: { computeOptimizer: Active }
rules:
${['/Workloads/Prod', '/Workloads/Test', '/Workloads/Dev', '/Platform', '/Security', '/Sandbox', '/Canary']
  .map(
    (ou) => `  - { id: 'r${ou.replaceAll('/', '-').toLowerCase()}', match: { ou: '${ou}' }, computeOptimizer: Active }`,
  )
  .join('\n')}
`;

const scanned = z.object({
  ms: z.array(z.number()),
  cpuMs: z.array(z.number()),
  floorMs: z.array(z.number()),
  accounts: z.number(),
  peakMb: z.number(),
});
type Scanned = z.infer<typeof scanned>;

function scans(sandbox: Sandbox, dataDir: string, times: number, cached: boolean, policy = POLICY): Promise<Scanned> {
  return runTask('scan', { dataDir, policy, scans: times, cached, floor: cached }, scanned, sandbox);
}

/** Scans of a new store with only the snapshot: the first one writes an entry for every account, the others none. */
function scansFromSnapshot(sandbox: Sandbox, times: number): Promise<Scanned> {
  return inDirectory(async (dataDir) => {
    await runTask('snapshot', { dataDir }, z.object({ accounts: z.number() }), sandbox);
    return scans(sandbox, dataDir, times, true);
  });
}

async function inSandbox<T>(options: Parameters<typeof startSandbox>[0], work: (sandbox: Sandbox) => Promise<T>) {
  const sandbox = await startSandbox(options);
  try {
    return await work(sandbox);
  } finally {
    await sandbox.close();
  }
}

const LARGE = { scenario: 'large', accounts: ACCOUNTS, latencyMs: LATENCY_MS };

export async function scanCached(): Promise<readonly Figure[]> {
  const pages = ACCOUNTS / STATUSES_A_PAGE;
  const boundMs = pages * LATENCY_MS;
  const runs = await inSandbox(LARGE, async (sandbox) => {
    // The snapshot comes from the same sandbox, although its 500 calls are slow: one without latency would be another organization.
    return [await scansFromSnapshot(sandbox, 3), await scansFromSnapshot(sandbox, 3)];
  });
  const common = {
    unit: '× the bound',
    bound: `${pages} pages × ${LATENCY_MS} ms = ${boundMs} ms`,
  };
  // The same 100 requests in sequence by plain node:http, to measure the delay of timers and sockets on a busy machine.
  const floor = round(median(runs.flatMap(({ floorMs }) => floorMs)) / boundMs);
  const of = (name: string, atMost: number, ms: readonly number[]) =>
    figure({
      ...{ name, ...common, target: { atMost }, runs: ms.map((each) => each / boundMs) },
      detail: { ms: ms.map(Math.round), bareRequests: floor },
    });
  return [
    of(
      'scan, snapshot cached, first',
      1.15,
      runs.flatMap(({ ms }) => ms.slice(0, 1)),
    ),
    of(
      'scan, snapshot cached, repeated',
      1.1,
      runs.flatMap(({ ms }) => ms.slice(1)),
    ),
  ];
}

export async function scanUncached(): Promise<readonly Figure[]> {
  const pages = ACCOUNTS / ACCOUNTS_A_PAGE;
  const boundMs = pages * LATENCY_MS;
  const { ms, peakMb } = await inSandbox(LARGE, (sandbox) =>
    inDirectory((dataDir) => scans(sandbox, dataDir, 2, false)),
  );
  const bound = `${pages} pages of ListAccounts × ${LATENCY_MS} ms = ${boundMs} ms`;
  const ratio = figure({
    name: 'scan, no snapshot',
    unit: '× the bound',
    target: { atMost: 1.2 },
    bound,
    runs: ms.map((each) => each / boundMs),
    detail: { ms: ms.map(Math.round), first: 'the first run writes an entry for every account' },
  });
  return [ratio, memory(`memory of scans, ${ACCOUNTS} accounts`, 250, [peakMb])];
}

/** The same rules, with one more that needs the tags of every account and changes nothing. */
const TAGGED = `${POLICY}  - { id: tagged, match: { tags: { env: prod } }, computeOptimizer: Active }\n`;

/** Scans that read the whole organization, with a tag rule and without. */
export async function scanTags(): Promise<readonly Figure[]> {
  const { plain, tagged, tagCalls } = await inSandbox(LARGE, async (sandbox) => {
    const of = (policy: string) => inDirectory((dataDir) => scans(sandbox, dataDir, SCANS_OF_TAGS, false, policy));
    const countTagCalls = async () =>
      (await sandbox.callsTo('tagging', 'GetResources')) +
      (await sandbox.callsTo('organizations', 'ListTagsForResource'));
    const without = await of(POLICY);
    const before = await countTagCalls();
    const withTags = await of(TAGGED);
    return { plain: without, tagged: withTags, tagCalls: (await countTagCalls()) - before };
  });
  return [
    figure({
      name: `scan of ${ACCOUNTS} accounts with a tag rule, no snapshot`,
      unit: '× the same scan without tags',
      target: { atMost: 1.3 },
      bound: `a scan without tags at ${LATENCY_MS} ms an answer`,
      runs: tagged.ms.map((ms, n) => ms / (plain.ms[n] ?? Number.NaN)),
      detail: {
        ms: tagged.ms.map(Math.round),
        withoutTagsMs: plain.ms.map(Math.round),
        tagCallsPerScan: tagCalls / SCANS_OF_TAGS,
      },
    }),
  ];
}

export async function scanStress(): Promise<readonly Figure[]> {
  const accounts = 10 * ACCOUNTS;
  const runs = await inSandbox({ scenario: 'large', accounts }, async (sandbox) => [
    await inDirectory((dataDir) => scans(sandbox, dataDir, 2, false)),
  ]);
  return [
    memory(
      `memory of scans, ${accounts} accounts`,
      500,
      runs.map(({ peakMb }) => peakMb),
      {
        note: 'beyond what AWS allows; no latency; an empty store, then a repeated scan',
        seconds: runs.map(({ ms }) => ms.map((each) => Math.round(each / 1000))),
      },
    ),
  ];
}

function memory(name: string, atMost: number, runs: readonly number[], detail = {}): Figure {
  return figure({
    ...{ name, unit: 'MB resident, peak of our process', target: { atMost }, runs, detail },
    bound: `${atMost} MB`,
  });
}
