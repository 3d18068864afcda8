import { ENROLLMENT_IDS, type EnrollmentId, FIRST_KIND } from '../shared/domain/enrollment/kinds/index.ts';
import measured from './measured-calls.json' with { type: 'json' };

/*
 * The monthly costs of the aws runtime: `node infra/costs.ts` prints the tables of docs/deploy.md, and test/infra compares them.
 *
 * The numbers of calls are measured by `node test/infra/measure-calls.ts`. The duration of the functions is computed from the calls and the rate limit.
 * Calls to the enrollment services, Organizations and STS are free. Left out, because they cost only cents: the events' archive, KMS requests, the bucket of
 * the packages, SNS, and CloudWatch metrics that are recorded less often than hourly.
 *
 * Prices: https://aws.amazon.com/{lambda,dynamodb,sqs,eventbridge,cloudwatch}/pricing/, compared with other listings of 2024 to 2026, except for the
 * table's recovery (PITR), which only AWS's page lists. Other Regions differ by up to 50%; change PRICES for yours.
 */

/** List prices of us-east-1 in US dollars: first tier, without free tier. */
export const PRICES = {
  date: '2026-01',
  lambdaGbSecond: 0.0000133334, // arm64
  lambdaRequest: 0.2e-6,
  dynamodbWrite: 0.625e-6, // on demand, a write request unit
  dynamodbRead: 0.125e-6,
  dynamodbGbMonth: 0.25,
  dynamodbRecoveryGbMonth: 0.2,
  sqsRequest: 0.4e-6,
  eventPublished: 1e-6,
  schedulerInvocation: 1e-6,
  logGb: 0.5,
  metricMonth: 0.3,
  alarmMonth: 0.1, // for each metric of an alarm
  dashboardMonth: 3,
} as const;

/** Assumptions about an organization. */
export interface Assumptions {
  readonly accounts: number;
  readonly scansPerMonth: number;
  /** The kinds that the policy manages. Scans read the first kind's listing even if the policy does not manage it. */
  readonly kinds: readonly EnrollmentId[];
  /** Fraction of the accounts that drift in a month and are remediated, in each kind. */
  readonly driftPerMonth: number;
  readonly callsPerSecond: number;
}

export const USUAL: Omit<Assumptions, 'accounts'> = {
  kinds: ENROLLMENT_IDS,
  scansPerMonth: 720,
  driftPerMonth: 0.05,
  callsPerSecond: 10,
};

const TICKS = 60 * 24 * 30;
/** Size of an entry with its items in five indexes. Source: shared/adapters/aws/dynamodb/schema.ts, "Costs". */
const ENTRY_KB = 1.2 + 5 * 0.35;
/** Entries of one change: drift detected, remediation started and succeeded, drift resolved. */
const ENTRIES_A_CHANGE = 4;
/** Entries of one scan: started, completed, and its share of the daily entries. */
const ENTRIES_A_SCAN = 3;
/** How many metrics CloudWatch charges for: one for each name and function. */
const METRIC_SERIES = 25;
/** Metrics of the alarms in infra/alarms.yml; one alarm divides two metrics. */
const ALARM_METRICS = 13;

/** Memory as in serverless.yml, GB, and estimated durations, s. */
const TICK = { gb: 0.5, seconds: 0.3 };
const SCANNER = { gb: 1, startSeconds: 2 };
/** Two workers run at the same time and share the rate limit, so each call waits for the other worker's call too. */
const WORKER = { gb: 1, atOnce: 2, secondsACall: 0.2 };
/** For each batch of messages, Lambda makes two calls to SQS: it receives and deletes the batch. */
const POLLS_A_BATCH = 2;
const LOG_KB = { tick: 1, scan: 3, change: 4 };

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
  return { ...stored(measured.tick), gbSeconds: TICK.gb * TICK.seconds, invocations: 1, logKb: LOG_KB.tick };
}

/** The measurements of the managed kinds. The first kind always counts, because its scan includes the calls that every scan makes. */
function managed({ kinds }: Assumptions): readonly KindCalls[] {
  return ENROLLMENT_IDS.filter((id) => id === FIRST_KIND.id || kinds.includes(id)).map((id) => measured.kinds[id]);
}

/** A scan that finds nothing new. */
function quietScan(assumptions: Assumptions): Usage {
  const { accounts, callsPerSecond } = assumptions;
  const scans = managed(assumptions).map(({ scan }) => scan);
  const calls = scans.reduce((all, { base, perAccount }) => all + base.calls + accounts * perAccount.calls, 0);
  const gbSeconds = SCANNER.gb * (SCANNER.startSeconds + calls / callsPerSecond);
  const own = { ...NONE, gbSeconds, invocations: 1, logKb: LOG_KB.scan };
  return sum(own, ...scans.map(({ base, perAccount }) => sum(stored(base), times(accounts, stored(perAccount)))));
}

/** The remediation of one account that has drifted in every managed kind, up to the last published entry. */
function changes({ kinds, callsPerSecond }: Assumptions): Usage {
  const parts = kinds.map((id) => {
    const { change } = measured.kinds[id];
    const { calls, batches } = change;
    const seconds = calls * Math.max(WORKER.atOnce / callsPerSecond, WORKER.secondsACall);
    const own = { ...NONE, gbSeconds: WORKER.gb * seconds, invocations: batches, sqs: POLLS_A_BATCH * batches };
    return sum({ ...own, logKb: LOG_KB.change }, stored(change));
  });
  return sum(...parts);
}

/** Lambda polls an idle queue with 5 concurrent long polls of 20 s [Lambda, SQS event source]. */
const POLLING_A_MONTH = (5 * 30 * 86_400) / 20;

export interface Bill {
  readonly accounts: number;
  /** How many kinds the policy manages. */
  readonly kinds: number;
  readonly lines: Readonly<Record<'Lambda' | 'DynamoDB' | 'SQS' | 'EventBridge' | 'CloudWatch', number>>;
  readonly total: number;
}

/** The costs of a month of scans and remediation. */
export function monthly(assumptions: Assumptions): Bill {
  const { accounts, kinds, scansPerMonth, driftPerMonth } = assumptions;
  const changed = accounts * driftPerMonth;
  const usage = sum(
    times(TICKS, tick()),
    times(scansPerMonth, quietScan(assumptions)),
    times(changed, changes(assumptions)),
    { ...NONE, sqs: POLLING_A_MONTH },
  );
  // The records, and the entries of a year.
  const entries = 12 * (changed * kinds.length * ENTRIES_A_CHANGE + scansPerMonth * ENTRIES_A_SCAN) + accounts;
  const recordKb = managed(assumptions).reduce((all, kind) => all + kind.recordKb, 0);
  return bill(assumptions, usage, (entries * ENTRY_KB + accounts * recordKb) / 1e6, true);
}

/** The one-time costs of the first scan and of the remediation of half of the accounts, in each kind. */
export function adoption(assumptions: Assumptions): Bill {
  const { accounts } = assumptions;
  const joined = managed(assumptions).map((kind) => times(accounts, stored(kind.joined)));
  const usage = sum(quietScan(assumptions), ...joined, times(accounts / 2, changes(assumptions)));
  return bill(assumptions, usage, 0, false);
}

function bill({ accounts, kinds }: Assumptions, usage: Usage, storedGb: number, standing: boolean): Bill {
  const ticks = standing ? TICKS : 0;
  const lines = {
    Lambda: usage.gbSeconds * PRICES.lambdaGbSecond + usage.invocations * PRICES.lambdaRequest,
    DynamoDB:
      usage.writes * PRICES.dynamodbWrite +
      usage.reads * PRICES.dynamodbRead +
      storedGb * (PRICES.dynamodbGbMonth + PRICES.dynamodbRecoveryGbMonth),
    SQS: usage.sqs * PRICES.sqsRequest,
    EventBridge: usage.events * PRICES.eventPublished + ticks * PRICES.schedulerInvocation,
    CloudWatch:
      (usage.logKb / 1e6) * PRICES.logGb +
      (standing ? METRIC_SERIES * PRICES.metricMonth + ALARM_METRICS * PRICES.alarmMonth + PRICES.dashboardMonth : 0),
  };
  return { accounts, kinds: kinds.length, lines, total: Object.values(lines).reduce((all, each) => all + each, 0) };
}

/** A Markdown table, in US dollars. */
function table(bills: readonly Bill[]): string {
  const names = ['Lambda', 'DynamoDB', 'SQS', 'EventBridge', 'CloudWatch'] as const;
  const rows = bills.map(({ accounts, kinds, lines, total }) =>
    [
      accounts.toLocaleString('en-US'),
      kinds,
      ...names.map((name) => lines[name].toFixed(2)),
      `**${total.toFixed(2)}**`,
    ].join(' | '),
  );
  const head = ['accounts', 'kinds', ...names, 'total'].join(' | ');
  return [`| ${head} |`, `|${'--:|'.repeat(8)}`, ...rows.map((row) => `| ${row} |`)].join('\n');
}

export const SIZES = [100, 1_000, 10_000];

/** The first kind alone, and every kind. */
const POLICIES: readonly (readonly EnrollmentId[])[] = [[FIRST_KIND.id], ENROLLMENT_IDS];

export function report(): { readonly monthly: string; readonly adoption: string } {
  const of = (make: (assumptions: Assumptions) => Bill): string =>
    table(SIZES.flatMap((accounts) => POLICIES.map((kinds) => make({ ...USUAL, accounts, kinds }))));
  return { monthly: of(monthly), adoption: of(adoption) };
}

if (import.meta.main) {
  const tables = report();
  process.stdout.write(`A month:\n\n${tables.monthly}\n\nAdoption, once:\n\n${tables.adoption}\n`);
}
