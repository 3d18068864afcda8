import * as z from 'zod';
import { apply } from '../../../shared/app/runtime/apply.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, inDirectory, policyOf, taskInput, withApp } from '../workbench.ts';

/* One run over a new, empty store, under an AWS limit that shows only in throttled answers. */

const input = z.object({ callsPerSecond: z.number(), concurrency: z.number(), policy: z.string().optional() });
const { policy = COMPUTE_OPTIMIZER_ONLY, ...limits } = input.parse(taskInput());
await inDirectory((dataDir) =>
  withApp(dataDir, policyOf(policy, limits), async ({ deps, settings, retrying }, run) => {
    const options = { waitMs: 0, stop: new AbortController().signal, onProgress: () => undefined };
    const { changes, open, stopped } = await apply(deps, settings, retrying, run, options);
    answer({ changes, open: open.slice(0, 3), stopped });
  }),
);
