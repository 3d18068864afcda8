import * as z from 'zod';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure, round } from './figure.ts';

/** The maximum number of accounts read from Organizations per minute (`shared/app/events/event-throttle.ts`). */
const EVENTS = 50;
const LATENCY_MS = 40;

const measured = z.object({ called: z.array(z.number()), moved: z.array(z.number()) });

/** The time from an event to its keys on the queue with the embedded store; EventBridge's own latency is not included. */
export async function reaction(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: 200, drift: 0, latencyMs: LATENCY_MS });
  try {
    const { called, moved } = await runTask('react', { events: EVENTS }, measured, sandbox);
    const of = (name: string, ms: readonly number[], bound: string): Figure =>
      figure({
        name,
        ...{ unit: 's, the slowest of them', target: { atMost: 1 }, bound },
        runs: [Math.max(...ms) / 1000],
        detail: { ms: ms.map(round) },
      });
    return [
      of('event of an enrollment call to queued key', called, 'no call to AWS is needed'),
      of(
        'event of a moved account to queued key',
        moved,
        `a DescribeAccount and one call an OU above it, ${LATENCY_MS} ms each`,
      ),
    ];
  } finally {
    await sandbox.close();
  }
}
