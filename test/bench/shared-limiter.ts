import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { type Figure, figure } from './figure.ts';

const WORKERS = 4;
const SECONDS = 60;
/** The value of the aws runtime. */
const RESERVE_MS = 2_500;
const WRITES_PER_CALL = 0.1;

const measured = z.object({
  averagePerSecond: z.number(),
  busiestSecond: z.number(),
  lastQuarterPerSecond: z.number(),
  writesPerCall: z.number(),
  lostWrites: z.number(),
  callsOfEach: z.array(z.number()),
});

const run = promisify(execFile);

/** Four processes under one budget; then again with one of them killed halfway with its reservation. */
export async function sharedLimiter(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [rate, killed] of [
    [10, 0],
    [20, 0],
    [20, 1],
  ] as const) {
    figures.push(...(await under(rate, killed)));
  }
  return figures;
}

async function under(rate: number, killed: number): Promise<readonly Figure[]> {
  const script = fileURLToPath(new URL('limiter-processes.ts', import.meta.url));
  const given = { workers: WORKERS, rate, seconds: SECONDS, 'reserve-ms': RESERVE_MS, kill: killed };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await run(process.execPath, [script, ...args]);
  const detail = measured.parse(JSON.parse(stdout));
  const under = `${WORKERS} processes under ${rate} calls/s${killed > 0 ? `, ${killed} of them killed half way` : ''}`;
  const bound = `the budget, ${rate} calls/s`;
  return [
    figure({
      ...{ name: `average of ${under}`, unit: `calls/s over ${SECONDS} s`, bound, detail },
      ...{ target: { atLeast: 0.9 * rate }, runs: [detail.averagePerSecond] },
    }),
    figure({
      ...{ name: `busiest second of ${under}`, unit: 'calls in any 1,000 ms', bound },
      ...{ target: { atMost: 1.1 * rate }, runs: [detail.busiestSecond] },
    }),
    figure({
      ...{ name: `reservations of ${under}`, unit: 'conditional writes a call' },
      ...{ target: { atMost: WRITES_PER_CALL }, runs: [detail.writesPerCall] },
    }),
    ...(killed === 0
      ? []
      : [
          figure({
            ...{ name: `last quarter of ${under}`, unit: `calls/s over ${SECONDS / 4} s`, bound },
            ...{ target: { atLeast: 0.9 * rate }, runs: [detail.lastQuarterPerSecond] },
          }),
        ]),
  ];
}
