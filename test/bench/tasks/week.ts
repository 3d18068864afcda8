import * as z from 'zod';
import { createRandom } from '../../../services/sandbox/engine/random.ts';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import { resolveOptions } from '../../../services/sandbox/options.ts';
import { DEFAULT_SETTINGS, type Deps } from '../../../shared/app/context.ts';
import { createLimiter } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import { apply } from '../../../shared/app/runtime/apply.ts';
import { createRetrying } from '../../../shared/app/support/retry.ts';
import { NO_TRACER } from '../../../shared/ports/tracer.ts';
import { engineCloud } from '../../simulation/engine-cloud.ts';
import { memoryStores } from '../../simulation/memory-stores.ts';
import { VirtualTime, withTimersOf } from '../../simulation/virtual-time.ts';
import { limiterTimesOf } from '../../support/limiter-times.ts';
import { answer, COMPUTE_OPTIMIZER_ONLY, policyOf, taskInput } from '../workbench.ts';

/*
 * Hourly scans in virtual time, with a share of the accounts drifting before each: counts writes and calls to
 * AWS. The first scan, which adopts every account, is not counted.
 */

const input = z.object({ accounts: z.number(), drift: z.number(), hours: z.number() });
const { accounts, drift, hours } = input.parse(taskInput());

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const MUTATING = new Set(['UpdateEnrollmentStatus', 'UpdateEnrollmentConfiguration', 'AssociateAccounts']);

/** The writes since the start. Registers (state of the scan and of the limiter) and the snapshot are bounded, so they are not counted. */
const counts = { entries: 0, records: 0, messages: 0, registers: 0, mutating: 0, listings: 0, sessions: 0, others: 0 };

const random = createRandom(7);
const time = new VirtualTime(START, random);
const sandbox = createSandbox(resolveOptions({ accounts, drift: 0 }), { clock: time });
const policy = policyOf(COMPUTE_OPTIMIZER_ONLY, { callsPerSecond: 1_000_000, concurrency: 16 });
const stores = memoryStores(time);

function counted(): Omit<Deps, 'cloud' | 'actor'> {
  const { ledger, records, registers, queue, snapshots } = stores;
  let ids = 0;
  const logger = { debug: () => undefined, info: () => undefined, warn: report, error: report };
  return {
    ledger: {
      ...ledger,
      async append(entries) {
        const outcomes = await ledger.append(entries);
        counts.entries += outcomes.filter((outcome) => outcome === 'appended').length;
        return outcomes;
      },
    },
    records: {
      ...records,
      async advance(many) {
        counts.records += many.length;
        await records.advance(many);
      },
    },
    registers: {
      ...registers,
      async write(name, value, expected) {
        counts.registers += 1;
        return registers.write(name, value, expected);
      },
    },
    queue: {
      ...queue,
      async send(messages, delayMs) {
        counts.messages += messages.length;
        await queue.send(messages, delayMs);
      },
    },
    ...{ snapshots, clock: time, random, logger, tracer: NO_TRACER },
    newId: () => {
      ids += 1;
      return `id-${String(ids).padStart(9, '0')}`;
    },
  };
}

function report(message: string, fields?: unknown): void {
  process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`);
}

const own = counted();
const { managementAccountId, organizationId } = sandbox.info();
const arn = `arn:aws:iam::${managementAccountId}:role/bench`;
const gate = createLimiter({
  registers: own.registers,
  clock: time,
  ...limiterTimesOf(time),
  ceiling: 1_000_000,
  reserveMs: 1_000,
});
const cloud = engineCloud({
  ...{ sandbox, gate, newRequestId: own.newId, now: () => time.now(), travel: async () => undefined },
  caller: {
    accountId: managementAccountId,
    managementAccountId,
    organizationId,
    arn,
    partition: 'aws',
    role: 'management',
  },
  onAnswer: () => undefined,
  onReceipt: () => undefined,
  onArrival: ({ operation }) => {
    if (MUTATING.has(operation)) counts.mutating += 1;
    else if (operation === 'ListAccounts' || operation === 'GetEnrollmentStatusesForOrganization') counts.listings += 1;
    else if (operation === 'AssumeRole') counts.sessions += 1;
    else counts.others += 1;
  },
});
const deps: Deps = { ...own, cloud, actor: arn };
const retrying = createRetrying(time, random, DEFAULT_SETTINGS.retryBudgetMs);

async function onVirtualTime<T>(work: Promise<T>): Promise<T> {
  let ended = false;
  const watched = work.finally(() => {
    ended = true;
  });
  // The error is handled below; this only avoids an unhandled rejection in between.
  watched.catch(() => undefined);
  if (!(await time.run(() => ended, time.now() + HOUR_MS))) throw new Error('a run took an hour and more');
  return watched;
}

async function hourly(): Promise<number> {
  const run = { runId: deps.newId(), policy, planHash: null };
  const options = { waitMs: 0, stop: new AbortController().signal, onProgress: () => undefined };
  const { changes, open, stopped } = await onVirtualTime(apply(deps, DEFAULT_SETTINGS, retrying, run, options));
  if (open.length > 0 || stopped !== null) throw new Error(`left open: ${JSON.stringify(open[0] ?? stopped)}`);
  return changes.succeeded;
}

await withTimersOf(time, async () => {
  await hourly();
  const before = new Map(Object.entries(counts));
  const members = sandbox.accounts().filter(({ state, management }) => state === 'ACTIVE' && !management);
  const start = performance.now();
  let drifted = 0;
  let remediated = 0;
  let owed = 0;
  for (let hour = 1; hour <= hours; hour += 1) {
    await time.run(() => false, START + hour * HOUR_MS);
    // Accounts take turns, so that none drifts often enough to be contested.
    owed += accounts * drift;
    const ids = [];
    for (; owed >= 1; owed -= 1) ids.push(members[drifted++ % members.length]?.accountId ?? '');
    const changes = ids.map(
      (accountId) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }) as const,
    );
    if (changes.length > 0) sandbox.drift({ changes });
    remediated += await hourly();
  }
  if (remediated !== drifted) throw new Error(`${drifted} drifted, ${remediated} were remediated`);
  const since = Object.fromEntries(
    Object.entries(counts).map(([name, value]) => [name, value - (before.get(name) ?? 0)]),
  );
  answer({ ...since, accounts, drift, hours, drifted, seconds: (performance.now() - start) / 1000 });
});
