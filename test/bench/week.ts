import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { runTask } from './child.ts';
import { type Figure, figure, round } from './figure.ts';
import { leastSquares } from './least-squares.ts';
import { accountsOr } from './size.ts';

const SHARES = [0.1, 0.3, 1];
/** The share of accounts that drift between two scans. */
const DRIFTS = [0, 0.005, 0.01, 0.02];
const HOURS = 7 * 24;
/** The maximum weekly cost of a thousand more accounts without drift: less than one. */
const NEXT_TO_NOTHING = 1;

const week = z.object({
  ...{ accounts: z.number(), drift: z.number(), drifted: z.number(), seconds: z.number() },
  ...{ entries: z.number(), records: z.number(), messages: z.number(), registers: z.number() },
  ...{ mutating: z.number(), listings: z.number(), sessions: z.number(), others: z.number() },
});
type Week = z.infer<typeof week>;

/** A week of hourly scans in virtual time: writes and changes grow with drift, not with accounts. */
export async function weekOfScans(): Promise<readonly Figure[]> {
  const weeks: Week[] = [];
  const largest = accountsOr(10_000);
  // The longest first, so that both lanes end together. The largest size skips some rates to save minutes.
  const waiting = SHARES.flatMap((share) =>
    DRIFTS.filter((drift) => share < 1 || drift === 0 || drift === 0.01).map((drift) => {
      return { accounts: Math.round(largest * share), drift, hours: HOURS };
    }),
  )
    .toSorted((a, b) => b.accounts * (1 + 100 * b.drift) - a.accounts * (1 + 100 * a.drift))
    .values();
  const lane = async (): Promise<void> => {
    for (const given of waiting) weeks.push(await runTask('week', given, week, null));
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
  weeks.sort((a, b) => a.accounts - b.accounts || a.drift - b.drift);
  return [
    ...grows('ledger entries', weeks, ({ entries }) => entries, 5),
    ...grows('records written', weeks, ({ records }) => records, 5),
    ...grows('mutating calls', weeks, ({ mutating }) => mutating, 1),
    ...grows('calls but listings and AssumeRole', weeks, ({ mutating, others }) => mutating + others, 5),
    listings(weeks),
  ];
}

/** The slopes of a fit over all weeks: per thousand accounts and per drift. */
function grows(what: string, weeks: readonly Week[], of: (week: Week) => number, atMost: number): Figure[] {
  const values = weeks.map(of);
  const rows = weeks.map(({ accounts, drifted }) => [1, accounts, drifted]);
  const [constant = Number.NaN, perAccount = Number.NaN, perDrift = Number.NaN] = leastSquares(rows, values);
  const error = values.map((value, n) =>
    Math.abs(value - constant - perAccount * (rows[n]?.[1] ?? 0) - perDrift * (rows[n]?.[2] ?? 0)),
  );
  const fit = { fit: { constant: round(constant), perAccount, perDrift }, largestError: round(Math.max(...error)) };
  const bound = `least squares over ${weeks.length} weeks of ${HOURS} hourly scans`;
  return [
    figure({
      ...{ name: `a week's ${what}, growth with drift`, unit: 'a drift', target: { atMost }, bound, runs: [perDrift] },
      detail: {
        ...fit,
        weeks: weeks.map((each) => ({
          accounts: each.accounts,
          drift: each.drift,
          drifted: each.drifted,
          count: of(each),
        })),
      },
    }),
    figure({
      ...{ name: `a week's ${what}, growth with accounts`, unit: 'a thousand accounts and week', bound },
      ...{ target: { atMost: NEXT_TO_NOTHING }, runs: [cleared(1_000 * perAccount)], detail: fit },
    }),
  ];
}

/** Removes the rounding error of about 1e-12 in sums of whole numbers. */
const cleared = (value: number): number => (Math.abs(value) < 1e-6 ? 0 : value);

/** Reads must grow with accounts: a page of statuses per hundred accounts, and a page of accounts per twenty if the snapshot is old. */
function listings(weeks: readonly Week[]): Figure {
  const pages = (accounts: number): number => HOURS * (Math.ceil(accounts / 100) + Math.ceil(accounts / 20));
  return figure({
    ...{ name: "a week's listing calls", unit: '× the pages of statuses and accounts', target: { atMost: 1.01 } },
    bound: `${HOURS} scans × (accounts / 100 + accounts / 20)`,
    runs: weeks.map(({ accounts, listings: calls }) => calls / pages(accounts)),
    // Member sessions are cached until they expire, and those of the sandbox never do: one for each account that ever drifted.
    detail: {
      assumedRoles: weeks.map(({ sessions }) => sessions),
      stateDocumentsWritten: weeks.map(({ registers }) => registers),
      seconds: weeks.map(({ seconds }) => round(seconds)),
    },
  });
}
