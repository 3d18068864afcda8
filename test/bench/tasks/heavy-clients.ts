import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { answer, taskInput } from '../workbench.ts';

/* Clients that repeatedly request all data of the API; a rejected one retries after the given delay. */

const input = z.object({ url: z.string(), clients: z.number(), forMs: z.number() });
const { url, clients, forMs } = input.parse(taskInput());

const PATHS = [
  'api/audit/as-of?at=1m&limit=1000',
  'api/audit/report?since=7d',
  'api/audit/export?format=json',
  'api/accounts?limit=1000&facets=true',
  'api/accounts?limit=1000&sort=since',
];

const counts: Record<string, number> = {};
const end = performance.now() + forMs;

async function client(n: number): Promise<void> {
  for (let turn = n; performance.now() < end; turn += 1) {
    const response = await fetch(`${url}${PATHS[turn % PATHS.length]}`);
    await response.arrayBuffer();
    counts[response.status] = (counts[response.status] ?? 0) + 1;
    const wait = Number(response.headers.get('retry-after') ?? 0) * 1_000;
    await sleep(Math.max(0, Math.min(wait, end - performance.now())));
  }
}

await Promise.all(Array.from({ length: clients }, (_, n) => client(n)));
answer(counts);
