import * as z from 'zod';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import type { Facet } from '../../../shared/domain/enrollment/condition.ts';
import { type EntryDraft, headOf, sealEntry } from '../../../shared/domain/ledger/entry.ts';
import { answer, elapsed, inDirectory, taskInput } from '../workbench.ts';

/* Durable appends per second, each writer on its own chain, alternately with few and with many concurrent writers. */

const input = z.object({ concurrencies: z.array(z.number()), rounds: z.number(), ms: z.number() });
const { concurrencies, rounds, ms } = input.parse(taskInput());

const FACET: Facet = {
  ...{ verdict: 'Drifted', reason: 'statusDiffers', status: 'Inactive', ruleMode: null, lastUpdated: null },
  ...{ desired: 'Active', desiredRuleMode: null, notBefore: null, deadline: null, attempts: 0 },
};

function draft(chain: string, id: string): EntryDraft {
  return {
    ...{
      id,
      chain,
      at: new Date().toISOString(),
      type: 'DriftDetected',
      accountId: chain,
      enrollment: 'computeOptimizer',
    },
    ...{ runId: 'run', actor: 'arn:aws:iam::111111111111:role/bench', before: FACET, after: FACET },
    ...{ reason: 'statusDiffers', rule: 'defaults', policyHash: 'a'.repeat(64), api: null, detail: null },
  };
}

await inDirectory(async (dataDir) => {
  const store = await openStore({ dataDir, readOnly: false });
  const perSecond: number[][] = concurrencies.map(() => []);
  let writers = 0;

  /** Seals entries as a worker does, so that the figure includes the whole append. */
  const write = async (until: number): Promise<number> => {
    const chain = String(100_000_000_000 + writers);
    writers += 1;
    let entries = 0;
    for (let head = await store.ledger.head(chain); performance.now() < until; entries += 1) {
      const entry = sealEntry(draft(chain, `${chain}-${entries}`), head);
      const [outcome] = await store.ledger.append([entry]);
      if (outcome !== 'appended') throw new Error(`entry ${entry.seq} of ${chain}: ${outcome}`);
      head = headOf(entry);
    }
    return entries;
  };

  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, concurrency] of concurrencies.entries()) {
      const start = performance.now();
      const counts = await Promise.all(Array.from({ length: concurrency }, () => write(start + ms)));
      const entries = counts.reduce((sum, count) => sum + count, 0);
      // The first round warms up the compiler.
      if (round > 0) perSecond[index]?.push((entries * 1000) / elapsed(start));
    }
  }
  await store.close();
  answer({ perSecond });
});
