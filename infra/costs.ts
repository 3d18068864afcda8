import { ENROLLMENT_IDS, type EnrollmentId, FIRST_KIND } from '../shared/domain/enrollment/kinds/index.ts';
import { MONITORING, type Monitoring } from '../shared/ports/metrics.ts';
import measured from './measured-calls.json' with { type: 'json' };
import { PRICES } from './prices.ts';

/*
 * The monthly costs of the aws runtime: `node infra/costs.ts` prints the tables of docs/how-to/deploy-aws.md, and test/infra compares them.
 *
 * The numbers of calls are measured by `node test/infra/measure-calls.ts`. The duration of the functions is computed from the calls and the processor time of a
 * tick and a scan.
 * Calls to the enrollment services, Organizations and STS are free. Left out, because they cost only cents: the events' archive, KMS requests of the table, the
 * bucket of the packages, and SNS.
 */

/** Assumptions about an organization. */
export interface Assumptions {
  readonly accounts: number;
  readonly scansPerMonth: number;
  /** The kinds that the policy manages. Scans read the first kind's listing even if the policy does not manage it. */
  readonly kinds: readonly EnrollmentId[];
  /** Fraction of the accounts that drift in a day and are remediated, in each kind. */
  readonly driftPerDay: number;
  /** Whether a rule of the policy matches tags. */
  readonly tagRule: boolean;
  /** How long AWS takes to answer a call, s. */
  readonly answerSeconds: number;
}

export const USUAL: Omit<Assumptions, 'accounts'> = {
  kinds: ENROLLMENT_IDS,
  scansPerMonth: 720,
  driftPerDay: 0,
  tagRule: false,
  answerSeconds: 0.08,
};

const DAYS = 30;
const TICKS = 60 * 24 * DAYS;
/** Size of an entry with its items in five indexes. Source: shared/adapters/aws/dynamodb/schema.ts, "Costs". */
const ENTRY_KB = 1.2 + 5 * 0.35;
/** Entries of one change: drift detected, remediation started and succeeded, drift resolved. */
const ENTRIES_A_CHANGE = 4;
/** Entries of one hourly scan: started, completed, and its share of the daily digest. */
const ENTRIES_A_SCAN = 2 + 1 / 24;

/** A Lambda function with this many GB has one full processor, a smaller one a proportional share. */
const FULL_CPU_GB = 1.77;
/**
 * Memory as in serverless.yml, GB. `cpuSeconds`: measured processor time, 36 to 48 ms on a busy machine; `waitSeconds`: four requests to the table, one
 * after the other.
 */
const TICK = { gb: 0.5, cpuSeconds: 0.042, waitSeconds: 0.02 };
/** `cpuSeconds`: measured processor time for 1,000 accounts; the rest is estimated. */
const SCANNER = { gb: 0.5, startSeconds: 2, cpuSeconds: 0.2 };
/** `secondsACall` includes storing the result of the call. */
const WORKER = { gb: 1, secondsACall: 0.2 };
/** Accounts in a page of Organizations' listing. Its pages are read one after the other, and all other listings in the meantime. */
const ACCOUNTS_A_PAGE = 20;
/** For each batch of messages, Lambda makes two calls to SQS: it receives and deletes the batch. */
const POLLS_A_BATCH = 2;
/** `tick`: the lines that Lambda itself writes; `tickMetrics` is part of the monitoring. */
const LOG_KB = { tick: 0.5, tickMetrics: 0.5, scan: 3, change: 4 };

/**
 * What CloudWatch charges for apart from logs, by value of the parameter `monitoring`. A metric is charged in each hour in which it has a value:
 * metrics of scans and ticks always, metrics of workers and events only if accounts drift.
 */
export const MONITORED = {
  full: { metrics: 9, driftMetrics: 10, alarmMetrics: 13, dashboards: 1 },
  alarms: { metrics: 3, driftMetrics: 2, alarmMetrics: 13, dashboards: 0 },
  none: { metrics: 0, driftMetrics: 0, alarmMetrics: 0, dashboards: 0 },
} as const satisfies Record<Monitoring, object>;

type Calls = (typeof measured)['tick'];
type KindCalls = (typeof measured)['kinds'][EnrollmentId];

/** Everything that AWS charges for by use. */
const CHARGED = ['gbSeconds', 'invocations', 'writes', 'reads', 'sqs', 'events', 'logKb'] as const;
type Usage = Record<(typeof CHARGED)[number], number>;

const NONE: Readonly<Usage> = { gbSeconds: 0, invocations: 0, writes: 0, reads: 0, sqs: 0, events: 0, logKb: 0 };

function sum(...parts: readonly Usage[]): Usage {
  const all = { ...NONE };
  for (const part of parts) for (const name of CHARGED) all[name] += part[name];
  return all;
}

function times(count: number, usage: Usage): Usage {
  const all = { ...NONE };
  for (const name of CHARGED) all[name] = usage[name] * count;
  return all;
}

function stored({ reads, writes, sqs, events }: Calls): Usage {
  return { ...NONE, reads, writes, sqs, events };
}

function tick(): Usage {
  const gbSeconds = TICK.cpuSeconds * FULL_CPU_GB + TICK.gb * TICK.waitSeconds;
  return { ...stored(measured.tick), gbSeconds, invocations: 1, logKb: LOG_KB.tick };
}

/** The measurements of the managed kinds. The first kind always counts, because its scan includes the calls that every scan makes. */
function managed({ kinds }: Pick<Assumptions, 'kinds'>): readonly KindCalls[] {
  return ENROLLMENT_IDS.filter((id) => id === FIRST_KIND.id || kinds.includes(id)).map((id) => measured.kinds[id]);
}

/** A scan that finds nothing new. */
function quietScan(assumptions: Assumptions): Usage {
  const { accounts, answerSeconds, tagRule } = assumptions;
  const scans = [...managed(assumptions).map(({ scan }) => scan), ...(tagRule ? [measured.tagRule] : [])];
  const calls = scans.reduce((all, { base }) => all + base.calls, accounts / ACCOUNTS_A_PAGE);
  const waitSeconds = SCANNER.startSeconds + calls * answerSeconds;
  const gbSeconds = SCANNER.gb * waitSeconds + (accounts / 1_000) * SCANNER.cpuSeconds * FULL_CPU_GB;
  const own = { ...NONE, gbSeconds, invocations: 1, logKb: LOG_KB.scan };
  return sum(own, ...scans.map(({ base, perAccount }) => sum(stored(base), times(accounts, stored(perAccount)))));
}

/** The remediation of one account that has drifted in every managed kind, up to the last published entry. */
function changes({ kinds }: Assumptions): Usage {
  const parts = kinds.map((id) => {
    const { change } = measured.kinds[id];
    const { calls, batches } = change;
    const seconds = calls * WORKER.secondsACall;
    const own = { ...NONE, gbSeconds: WORKER.gb * seconds, invocations: batches, sqs: POLLS_A_BATCH * batches };
    return sum({ ...own, logKb: LOG_KB.change }, stored(change));
  });
  return sum(...parts);
}

/** Lambda polls an idle queue with 5 concurrent long polls of 20 s [Lambda, SQS event source]. */
const POLLING_A_MONTH = (5 * DAYS * 86_400) / 20;

const LINES = ['Lambda', 'DynamoDB', 'SQS', 'EventBridge', 'logs'] as const;

export interface Bill {
  readonly accounts: number;
  /** How many kinds the policy manages. */
  readonly kinds: number;
  readonly tagRule: boolean;
  readonly driftPerDay: number;
  readonly lines: Readonly<Record<(typeof LINES)[number], number>>;
  readonly total: number;
}

/** The costs of a month of scans and remediation, without monitoring. */
export function monthly(assumptions: Assumptions): Bill {
  const { accounts, kinds, scansPerMonth, driftPerDay } = assumptions;
  const changed = accounts * driftPerDay * DAYS;
  const usage = sum(
    times(TICKS, tick()),
    times(scansPerMonth, quietScan(assumptions)),
    times(changed, changes(assumptions)),
    { ...NONE, sqs: POLLING_A_MONTH },
  );
  // The records, and the entries of a year.
  const entries = 12 * (changed * kinds.length * ENTRIES_A_CHANGE + scansPerMonth * ENTRIES_A_SCAN) + accounts;
  const recordKb = managed(assumptions).reduce((all, kind) => all + kind.recordKb, 0);
  return bill(assumptions, usage, (entries * ENTRY_KB + accounts * recordKb) / 1e6, TICKS);
}

/** The one-time costs of the first scan and of the remediation of half of the accounts, in each kind. */
export function adoption(assumptions: Assumptions): Bill {
  const { accounts } = assumptions;
  const joined = managed(assumptions).map((kind) => times(accounts, stored(kind.joined)));
  const usage = sum(quietScan(assumptions), ...joined, times(accounts / 2, changes(assumptions)));
  return bill(assumptions, usage, 0, 0);
}

function bill(assumptions: Assumptions, usage: Usage, storedGb: number, ticks: number): Bill {
  const { accounts, kinds, tagRule, driftPerDay } = assumptions;
  const lines = {
    Lambda: usage.gbSeconds * PRICES.lambdaGbSecond + usage.invocations * PRICES.lambdaRequest,
    DynamoDB:
      usage.writes * PRICES.dynamodbWrite +
      usage.reads * PRICES.dynamodbRead +
      storedGb * (PRICES.dynamodbGbMonth + PRICES.dynamodbRecoveryGbMonth),
    SQS: usage.sqs * PRICES.sqsRequest,
    EventBridge: usage.events * PRICES.eventPublished + ticks * PRICES.schedulerInvocation,
    logs: (usage.logKb / 1e6) * PRICES.logGb,
  };
  const total = LINES.reduce((all, name) => all + lines[name], 0);
  return { accounts, kinds: kinds.length, tagRule, driftPerDay, lines, total };
}

/** The price of a month of monitoring, which does not depend on the number of accounts. */
function monitoringPrice(monitoring: Monitoring, drift: boolean): Readonly<Record<string, number>> {
  const { metrics, driftMetrics, alarmMetrics, dashboards } = MONITORED[monitoring];
  const charged = metrics + (drift ? driftMetrics : 0);
  return {
    metrics: charged * PRICES.metricMonth + (charged > 0 ? (TICKS * LOG_KB.tickMetrics * PRICES.logGb) / 1e6 : 0),
    alarms: alarmMetrics * PRICES.alarmMonth,
    dashboard: dashboards * PRICES.dashboardMonth,
  };
}

/** The price of a month of monitoring in which accounts drift, USD. @throws Error for another value of the parameter */
export function monitoringCosts(monitoring: string): number {
  const known = MONITORING.find((each) => each === monitoring);
  if (known === undefined) throw new Error(`monitoring is ${monitoring}; expected one of ${MONITORING.join(', ')}`);
  return sumOf(Object.values(monitoringPrice(known, true)));
}

/** The values of the parameter `checkpoints` that create a key and a bucket. Both cost the same. */
const SIGNED = ['governance', 'compliance'] as const;

/**
 * A month with a checkpoint an hour, which is what a log that grows all the time gets. For each, the tick reads the public key and signs, looks at the
 * bucket's protection, lists, reads the newest checkpoint and writes the next one. Storage costs less than a cent.
 */
function checkpointPrice(checkpoints: string): Readonly<Record<'key' | 'requests', number>> {
  if (!SIGNED.some((each) => each === checkpoints)) return { key: 0, requests: 0 };
  const each = 2 * PRICES.kmsRequest + 2 * PRICES.s3Write + 2 * PRICES.s3Read;
  return { key: PRICES.kmsKeyMonth, requests: 24 * DAYS * each };
}

/** The price of a month of signed checkpoints, USD, by value of the parameter `checkpoints`. */
export function checkpointCosts(checkpoints: string): number {
  return sumOf(Object.values(checkpointPrice(checkpoints)));
}

/** A Markdown table whose columns are all numbers. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'--:|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

const dollars = (amount: number): string => amount.toFixed(2);
const sumOf = (amounts: readonly number[]): number => amounts.reduce((all, each) => all + each, 0);
const countOf = (accounts: number): string => accounts.toLocaleString('en-US');
const chargesOf = ({ lines, total }: Bill): readonly string[] => [
  ...LINES.map((name) => dollars(lines[name])),
  `**${dollars(total)}**`,
];

export const SIZES = [100, 1_000, 10_000];
const DRIFTS = [0, 0.01, 0.05];

/** The first kind alone, and every kind. */
const POLICIES: readonly (readonly EnrollmentId[])[] = [[FIRST_KIND.id], ENROLLMENT_IDS];

export function report(): Readonly<Record<'monthly' | 'monitoring' | 'checkpoints' | 'adoption', string>> {
  const months = [
    ...SIZES.slice(0, -1).map((accounts) => monthly({ ...USUAL, accounts })),
    ...POLICIES.flatMap((kinds) =>
      [false, true].flatMap((tagRule) =>
        DRIFTS.map((driftPerDay) => monthly({ ...USUAL, accounts: 10_000, kinds, tagRule, driftPerDay })),
      ),
    ),
  ];
  const adoptions = SIZES.flatMap((accounts) => POLICIES.map((kinds) => adoption({ ...USUAL, accounts, kinds })));
  const monitored = MONITORING.flatMap((monitoring) =>
    [false, true].map((drift) => ({ monitoring, drift, prices: Object.values(monitoringPrice(monitoring, drift)) })),
  );
  return {
    monthly: markdown(
      ['accounts', 'kinds', 'tag rule', 'drift a day', ...LINES, 'total'],
      months.map((each) => [
        ...[countOf(each.accounts), String(each.kinds), each.tagRule ? 'yes' : 'no', `${100 * each.driftPerDay}%`],
        ...chargesOf(each),
      ]),
    ),
    monitoring: markdown(
      ['`monitoring`', 'accounts drift', 'metrics', 'alarms', 'dashboard', 'total'],
      monitored.map(({ monitoring, drift, prices }) => [
        ...[
          `\`${monitoring}\``,
          drift ? 'every hour' : 'never',
          ...prices.map(dollars),
          `**${dollars(sumOf(prices))}**`,
        ],
      ]),
    ),
    checkpoints: markdown(
      ['`checkpoints`', 'key', 'requests', 'total'],
      ['none', ...SIGNED].map((each) => [
        ...[`\`${each}\``, ...Object.values(checkpointPrice(each)).map(dollars)],
        `**${dollars(checkpointCosts(each))}**`,
      ]),
    ),
    adoption: markdown(
      ['accounts', 'kinds', ...LINES, 'total'],
      adoptions.map((each) => [countOf(each.accounts), String(each.kinds), ...chargesOf(each)]),
    ),
  };
}

if (import.meta.main) {
  const tables = report();
  process.stdout.write(
    `A month:\n\n${tables.monthly}\n\nMonitoring, a month:\n\n${tables.monitoring}\n\nCheckpoints, a month:\n\n${tables.checkpoints}\n\nAdoption, once:\n\n${tables.adoption}\n`,
  );
}
