import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, median, round } from './figure.ts';

const ACCOUNTS = 200;
const ROUNDS = 9;
const CONCURRENCY = 16;

const rounds = z.array(z.object({ perSecond: z.number(), cpuMs: z.number() }));
const measured = z.object({ rollcall: rounds, sdk: rounds });
type Rounds = z.infer<typeof rounds>;

const pace = (of: Rounds): number[] => of.map(({ perSecond }) => round(perSecond));
const cpu = (of: Rounds): number => round(median(of.map(({ cpuMs }) => cpuMs)));

/** The overhead around the calls: queue, ledger, claims, limiter, diff. */
export async function unlimited(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: ACCOUNTS });
  try {
    const members = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
    const accountIds = members.map(({ accountId }) => accountId);
    const input = { accountIds, rounds: ROUNDS, concurrency: CONCURRENCY, endpoint: sandbox.endpoint };
    const { rollcall, sdk } = await runTask('remediate', input, measured, sandbox);
    return [
      figure({
        name: 'remediations, no limit and no latency',
        unit: '× what the AWS SDK alone does',
        target: { atLeast: 0.6 },
        comparedTo: `the AWS SDK making the same 4 calls an account: ${round(median(pace(sdk)))} remediations/s`,
        runs: rollcall.map(({ perSecond }, n) => perSecond / (sdk[n]?.perSecond ?? Number.NaN)),
        detail: {
          remediationsPerSecond: { rollcall: pace(rollcall), sdk: pace(sdk) },
          cpuMsPerRemediation: { rollcall: cpu(rollcall), sdk: cpu(sdk) },
          ...{ accounts: accountIds.length, concurrency: CONCURRENCY },
        },
      }),
    ];
  } finally {
    await sandbox.close();
  }
}
