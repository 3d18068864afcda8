import * as z from 'zod';
import { auditAsOf } from '../../../shared/app/queries/audit/as-of.ts';
import { auditList } from '../../../shared/app/queries/audit/list.ts';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { benchAccount, fillLedger } from '../audit-ledger.ts';
import { answer, elapsed, inDirectory, taskInput } from '../workbench.ts';

/* Creates a ledger of a million entries and queries it: timelines, states as of a time, and verification. */

const input = z.object({
  accounts: z.number(),
  entriesPerAccount: z.number(),
  rounds: z.number(),
  timelines: z.number(),
});
const { accounts, entriesPerAccount, rounds, timelines } = input.parse(taskInput());

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return elapsed(start);
}

await inDirectory(async (dataDir) => {
  const filling = await openStore({ dataDir, readOnly: false });
  const { entries, lastAt } = await fillLedger(filling.ledger, { accounts, entriesPerAccount });
  await filling.close();
  const store = await openStore({ dataDir, readOnly: true });
  const first = lastAt - 340 * 86_400_000;

  const timeline: number[] = [];
  for (let n = 0; n < timelines; n += 1) {
    // Accounts from all over the file, each once.
    const filter = { accountId: benchAccount((n * 7919) % accounts) };
    timeline.push(
      await timed(() => auditList(store.ledger, { filter, limit: 100, cursor: null, order: 'newestFirst' })),
    );
  }
  const asOf: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const at = new Date(first + ((lastAt - first) * (round + 1)) / rounds).toISOString();
    asOf.push(await timed(() => auditAsOf(store.ledger, at)));
  }
  const perSecond: number[] = [];
  const cpu = process.cpuUsage();
  for (let round = 0; round < 2; round += 1) {
    const ms = await timed(async () => {
      const result = await verifyLedger(store.ledger, store.records);
      if (!result.ok || result.entries !== entries) throw new Error(`the bench's ledger: ${JSON.stringify(result)}`);
    });
    perSecond.push((entries * 1_000) / ms);
  }
  const { user, system } = process.cpuUsage(cpu);
  await store.close();
  answer({
    entries,
    timeline,
    asOf,
    verifyPerSecond: perSecond,
    verifyPerCpuSecond: (2 * entries * 1e6) / (user + system),
  });
});
