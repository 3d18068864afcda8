import * as z from 'zod';
import { answer, COMPUTE_OPTIMIZER_ONLY, policyOf, taskInput, withApp } from '../workbench.ts';

/* Saves the organization snapshot in a new store, as an earlier scan would. */

const { dataDir } = z.object({ dataDir: z.string() }).parse(taskInput());
const policy = policyOf(COMPUTE_OPTIMIZER_ONLY, { callsPerSecond: 100_000, concurrency: 8 });
await withApp(dataDir, policy, async ({ deps, retrying }) => {
  const snapshot = await deps.cloud.readOrganization({ tags: false, retry: retrying });
  await deps.snapshots.save(snapshot);
  answer({ accounts: snapshot.accounts.length });
});
