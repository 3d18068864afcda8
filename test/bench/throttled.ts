import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, round } from './figure.ts';
import type { Count, Sandbox } from './sandbox.ts';

const DRIFTED = 2_000;
/** The sandbox's limit for the whole organization, calls per second; unknown to Rollcall. */
const LIMIT = 50;
const SAMPLE_MS = 500;
/** The time that the limiter has to find the limit. */
const LEARNING_MS = 10_000;
/** The last accounts come one by one, so the rate is measured until this many are left. */
const TAIL = 50;

interface Sample {
  readonly at: number;
  readonly calls: Count;
}

export const applied = z.object({
  changes: z.object({ succeeded: z.number(), failed: z.number(), blocked: z.number(), converging: z.number() }),
  open: z.array(z.unknown()),
  stopped: z.unknown(),
});

/** Samples the sandbox's own count of mutating calls while `work` lasts. */
async function sampling<T>(sandbox: Sandbox, work: Promise<T>): Promise<{ result: T; samples: readonly Sample[] }> {
  const samples: Sample[] = [];
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  while (!done) {
    samples.push({ at: performance.now(), calls: await sandbox.mutatingCalls() });
    await Promise.race([sleep(SAMPLE_MS), finished]);
  }
  return { result: await finished, samples };
}

const succeeded = ({ count, throttled, failed }: Count): number => count - throttled - failed;

export async function throttled(): Promise<readonly Figure[]> {
  // Every member drifts except the few closed accounts of the sandbox.
  const sandbox = await startSandbox({ accounts: Math.ceil(DRIFTED * 1.03), drift: 1, orgRate: LIMIT });
  try {
    const work = runTask('apply', { callsPerSecond: 500, concurrency: 16 }, applied, sandbox);
    const { result, samples } = await sampling(sandbox, work);
    if (result.changes.succeeded < DRIFTED) throw new Error(`not all was remediated: ${JSON.stringify(result)}`);
    return judge(samples, result.changes.succeeded, await sandbox.mutatingCalls());
  } finally {
    await sandbox.close();
  }
}

/** Throttled answers so far, every five seconds. */
function series(samples: readonly Sample[], begun: number): number[] {
  const counts: number[] = [];
  for (const { at, calls } of samples) {
    if (at - begun >= 5_000 * (counts.length + 1)) counts.push(calls.throttled);
  }
  return counts;
}

function judge(samples: readonly Sample[], changed: number, total: Count): readonly Figure[] {
  const begun = samples.find(({ calls }) => calls.count > 0)?.at ?? 0;
  const steady = samples.filter(
    ({ at, calls }) => at >= begun + LEARNING_MS && succeeded(calls) > 0 && succeeded(calls) < changed - TAIL,
  );
  const first = steady.at(0);
  const last = steady.at(-1);
  if (first === undefined || last === undefined) throw new Error('the run was over before it could be judged');
  const pace = ((succeeded(last.calls) - succeeded(first.calls)) * 1000) / (last.at - first.at);
  const common = { bound: `${LIMIT} mutating calls/s, unknown to Rollcall (callsPerSecond: 500)` };
  const seconds = Math.round((last.at - first.at) / 1000);
  return [
    figure({
      name: 'pace under an unknown limit',
      ...{ unit: '× the limit, after 10 s', target: { atLeast: 0.9 }, ...common, runs: [pace / LIMIT] },
      detail: { changesPerSecond: round(pace), judgedOverSeconds: seconds, accounts: changed },
    }),
    figure({
      name: 'throttled answers under an unknown limit',
      ...{ unit: '% of mutating calls', target: { atMost: 5 }, ...common },
      runs: [(100 * total.throttled) / total.count],
      detail: { calls: total.count, throttled: total.throttled, throttledAfterEach5s: series(samples, begun) },
    }),
  ];
}
