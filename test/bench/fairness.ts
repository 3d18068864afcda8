import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, round } from './figure.ts';
import { accountsOr } from './size.ts';

const ACCOUNTS = 10_000;
/** The sandbox's limits, calls a second: for each account and operation, and changes in the whole organization. */
const RATES = { rate: 20, orgRate: 20 };
const EVENTS = 50;
/** Accounts that are Active from the start. Somebody opts some of them out. */
const STEADY = 2 * EVENTS;
/** The events are spread over this part of the adoption, so that a backlog remains even at the last event. */
const SPREAD = 0.8;

const measured = z.object({
  ...{ times: z.array(z.number()), due: z.number(), changed: z.number(), seconds: z.number() },
  /** `null`: the adoption was over before the halt. */
  ...{ left: z.number(), haltMs: z.number().nullable() },
});

/** The time from an event of one account's drift until its fix, and from a halt until the last change, during the adoption of an organization. */
export async function fairness(): Promise<readonly Figure[]> {
  const accounts = accountsOr(ACCOUNTS);
  const sandbox = await startSandbox({
    accounts,
    drift: 1 - Math.min(0.5, STEADY / accounts),
    latencyMs: 40,
    ...RATES,
  });
  const { endpoint, managementAccountId } = sandbox;
  const info = { endpoint, managementAccountId, delegatedAdministratorId: '', accounts };
  try {
    const spreadMs = (SPREAD * accounts * 1000) / RATES.orgRate;
    const limits = { callsPerSecond: 200, concurrency: 8 };
    const input = { events: EVENTS, spreadMs, limits, sandbox: info };
    const { times, haltMs, ...detail } = await runTask('fairness', input, measured, sandbox);
    if (times.length !== EVENTS || detail.left === 0) throw new Error(`no backlog: ${JSON.stringify(detail)}`);
    const sorted = times.toSorted((a, b) => a - b);
    const of = `during the adoption of ${accounts} accounts at ${RATES.orgRate} changes/s`;
    const fixes = figure({
      name: `from an event of one account's drift to its fix, ${of}`,
      ...{ unit: `s, p99 of ${EVENTS}`, target: { atMost: 30 }, bound: 'AssumeRole, a read and the change: 0.12 s' },
      runs: [(sorted.at(Math.ceil(0.99 * EVENTS) - 1) ?? Number.NaN) / 1000],
      detail: { p50: round((sorted[EVENTS / 2] ?? Number.NaN) / 1000), ms: times.map(round), ...detail },
    });
    if (haltMs === null) return [fixes];
    const name = `from a halt to the last change, ${of}`;
    const bound = 'the calls that were already sent: 0.04 s';
    return [fixes, figure({ name, unit: 's', target: { atMost: 1 }, bound, runs: [haltMs / 1000] })];
  } finally {
    await sandbox.close();
  }
}
