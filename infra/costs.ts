/*
 * What the aws runtime costs a month: `node infra/costs.ts` prints the tables of docs/deploy.md, and test/infra compares them.
 *
 * Call counts follow from the code; units of the table from shared/adapters/aws/table.ts ("Costs"). AWS's own calls to Compute
 * Optimizer, Organizations and STS cost nothing.
 *
 * Where the prices come from: AWS's pricing pages, which hold for us-east-1 (N. Virginia) and fill in their figures by script. Compared again with
 * independent listings for us-east-1 of 2024 to 2026: Lambda (arm64, first tier, and requests), SQS (standard, first tier), EventBridge (custom events,
 * Scheduler), CloudWatch (logs, dashboard). Not found again anywhere else, so only as good as the page was on that date: DynamoDB (on demand, since it
 * was halved on 2024-11-01; storage; recovery), CloudWatch's metrics and alarms. Other Regions differ by up to a half; change PRICES for yours.
 */

/** US dollars, list prices of us-east-1 without any free tier, first tier of each. */
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
  alarmMonth: 0.1,
  dashboardMonth: 3,
} as const;

/** What is taken for granted; change it and run the script for an organization of your own. */
export interface Assumptions {
  readonly accounts: number;
  readonly scansPerMonth: number;
  /** Share of the accounts that drift in a month and are put right. */
  readonly driftPerMonth: number;
  readonly callsPerSecond: number;
}

export const USUAL: Omit<Assumptions, 'accounts'> = { scansPerMonth: 720, driftPerMonth: 0.05, callsPerSecond: 10 };

const TICKS = 60 * 24 * 30;
/** Units by table.ts. */
const ENTRY = { write: 9, read: 2 };
const PUBLISHED = { write: 3, read: 1 };
const RECORD = { write: 3, read: 1 };
/** KB of an entry with its indexes, and of a record. */
const ENTRY_KB = 1.2 + 5 * 0.35;
const RECORD_KB = 1.3;
/** Of a change: drift detected, started, succeeded, resolved. */
const ENTRIES_A_CHANGE = 4;
/** The register in which a change is noted under the caps (`app/claimed-changes.ts`): two reads, and with those of the last half minute up to 4 KB. */
const NOTED = { write: 4, read: 2 };
/** AssumeRole, a read before, the call, a read after. */
const CALLS_A_CHANGE = 4;
/** Metrics by name and function; alarms of infra/alarms.yml. */
const METRIC_SERIES = 24;
const ALARMS = 11;

interface Usage {
  readonly gbSeconds: number;
  readonly invocations: number;
  readonly writes: number;
  readonly reads: number;
  readonly sqs: number;
  readonly events: number;
  readonly logKb: number;
}

const NONE: Usage = { gbSeconds: 0, invocations: 0, writes: 0, reads: 0, sqs: 0, events: 0, logKb: 0 };

function sum(...parts: readonly Usage[]): Usage {
  return parts.reduce(
    (all, part) => ({
      gbSeconds: all.gbSeconds + part.gbSeconds,
      invocations: all.invocations + part.invocations,
      writes: all.writes + part.writes,
      reads: all.reads + part.reads,
      sqs: all.sqs + part.sqs,
      events: all.events + part.events,
      logKb: all.logKb + part.logKb,
    }),
    NONE,
  );
}

function times(count: number, usage: Usage): Usage {
  const { gbSeconds, invocations, writes, reads, sqs, events, logKb } = usage;
  return {
    gbSeconds: gbSeconds * count,
    invocations: invocations * count,
    writes: writes * count,
    reads: reads * count,
    sqs: sqs * count,
    events: events * count,
    logKb: logKb * count,
  };
}

/** A tick without work: 16 shards of what is due, 8 of the outbox (eventually consistent), two registers; both queues' counts. */
const TICK: Usage = {
  gbSeconds: 0.5 * 0.3,
  invocations: 1,
  writes: 0,
  reads: 16 / 2 + 8 / 2 + 2,
  sqs: 2,
  events: 0,
  logKb: 1,
};

/** The limiter: reservations of two seconds' worth on two buckets, read and written. */
function limiter(calls: number, callsPerSecond: number): Usage {
  const reservations = (2 * calls) / (2 * callsPerSecond);
  return { ...NONE, writes: reservations, reads: reservations };
}

/** A scan that finds nothing new: listings in pages, every record once for who is gone and once to compare, the snapshot saved. */
function quietScan({ accounts, callsPerSecond }: Assumptions): Usage {
  const calls = accounts / 20 + accounts / 100 + accounts / 1000 + 10;
  const seconds = calls / callsPerSecond + 2;
  const scan: Usage = {
    gbSeconds: seconds,
    invocations: 1,
    writes: 3 * ENTRY.write + accounts * 0.08 + 5,
    reads: accounts * (RECORD_KB / 4 + RECORD.read) + 260,
    sqs: 0,
    events: 1,
    logKb: 3,
  };
  return sum(
    scan,
    limiter(calls, callsPerSecond),
    times(3, { ...NONE, writes: PUBLISHED.write, reads: PUBLISHED.read, events: 1 }),
  );
}

/** One account put right, from its key to the last published entry. */
function change({ callsPerSecond }: Assumptions): Usage {
  const worked: Usage = {
    // Two keys: the change, and a look at its result.
    gbSeconds: 2 * 1.5,
    invocations: 2,
    writes: ENTRIES_A_CHANGE * (ENTRY.write + RECORD.write + PUBLISHED.write) + NOTED.write,
    reads: ENTRIES_A_CHANGE * (ENTRY.read + RECORD.read + PUBLISHED.read) + NOTED.read + 2 * 8,
    sqs: 2 * 3,
    events: ENTRIES_A_CHANGE,
    logKb: 4,
  };
  return sum(worked, limiter(CALLS_A_CHANGE, callsPerSecond));
}

/** Workers' pollers on an idle queue: 5 long polls of 20 s side by side [Lambda, SQS event source]. */
const POLLING_A_MONTH = (5 * 30 * 86_400) / 20;

export interface Bill {
  readonly accounts: number;
  readonly lines: Readonly<Record<'Lambda' | 'DynamoDB' | 'SQS' | 'EventBridge' | 'CloudWatch', number>>;
  readonly total: number;
}

/** A month of watching and mending. */
export function monthly(assumptions: Assumptions): Bill {
  const { accounts, scansPerMonth, driftPerMonth } = assumptions;
  const changes = accounts * driftPerMonth;
  const usage = sum(
    times(TICKS, TICK),
    times(scansPerMonth, quietScan(assumptions)),
    times(changes, change(assumptions)),
    { ...NONE, sqs: POLLING_A_MONTH },
  );
  // A year of entries behind the records.
  const entries = 12 * (changes * ENTRIES_A_CHANGE + scansPerMonth * 3) + accounts;
  return bill(assumptions, usage, (entries * ENTRY_KB + accounts * RECORD_KB) / 1e6, true);
}

/** The first scan, and half of the accounts put right: once. */
export function adoption(assumptions: Assumptions): Bill {
  const { accounts } = assumptions;
  const joined: Usage = {
    ...NONE,
    writes: ENTRY.write + 1 + RECORD.write + PUBLISHED.write,
    reads: ENTRY.read + RECORD.read + PUBLISHED.read,
    events: 1,
  };
  const usage = sum(quietScan(assumptions), times(accounts, joined), times(accounts / 2, change(assumptions)));
  return bill(assumptions, usage, 0, false);
}

function bill({ accounts }: Assumptions, usage: Usage, storedGb: number, standing: boolean): Bill {
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
      (standing ? METRIC_SERIES * PRICES.metricMonth + ALARMS * PRICES.alarmMonth + PRICES.dashboardMonth : 0),
  };
  return { accounts, lines, total: Object.values(lines).reduce((all, each) => all + each, 0) };
}

/** A Markdown table, in US dollars. */
export function table(bills: readonly Bill[]): string {
  const names = ['Lambda', 'DynamoDB', 'SQS', 'EventBridge', 'CloudWatch'] as const;
  const rows = bills.map(({ accounts, lines, total }) =>
    [accounts.toLocaleString('en-US'), ...names.map((name) => lines[name].toFixed(2)), `**${total.toFixed(2)}**`].join(
      ' | ',
    ),
  );
  const head = ['accounts', ...names, 'total'].join(' | ');
  return [`| ${head} |`, `|${'--:|'.repeat(7)}`, ...rows.map((row) => `| ${row} |`)].join('\n');
}

export const SIZES = [100, 1_000, 10_000];

export function report(): { readonly monthly: string; readonly adoption: string } {
  const of = (make: (assumptions: Assumptions) => Bill): string =>
    table(SIZES.map((accounts) => make({ ...USUAL, accounts })));
  return { monthly: of(monthly), adoption: of(adoption) };
}

if (import.meta.main) {
  const tables = report();
  process.stdout.write(`A month:\n\n${tables.monthly}\n\nAdoption, once:\n\n${tables.adoption}\n`);
}
