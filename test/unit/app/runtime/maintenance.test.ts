import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readTyped, update } from '../../../../shared/app/coordination/typed-register.ts';
import { LOCAL_PACE, maintenanceTasks, type Pace } from '../../../../shared/app/runtime/maintenance.ts';
import { type MaintenanceTask, runTasks, type TaskResult } from '../../../../shared/app/runtime/run-tasks.ts';
import { MAX_REST_MS, TaskRests } from '../../../../shared/app/runtime/task-rests.ts';
import { NO_CHECKPOINTING } from '../../../../shared/app/transparency/checkpointing.ts';
import { LOG } from '../../../../shared/app/transparency/log-documents.ts';
import { awsStore } from '../../../../shared/compose/stores/aws.ts';
import { account, chainOf, range } from '../../../contract/samples.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const POLICY = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
const RETAINING = policyOf('computeOptimizer: Active', 'retention: 30d');
const HOUR = 3_600_000;
const checkpointing = async () => NO_CHECKPOINTING;
let shop: Workshop;

beforeEach(async () => {
  shop = await Workshop.open({ policy: POLICY, cloud: { pendingMs: HOUR } });
});
afterEach(() => shop.close());

const unreadable = async (): Promise<never> => {
  throw new Error('the policy cannot be read');
};

function tasksOf({ policy = async () => POLICY }: { readonly policy?: () => Promise<typeof POLICY> } = {}) {
  const none = async () => null;
  const { deadLetters } = shop.store;
  return maintenanceTasks({
    deps: shop.deps(),
    policy,
    bus: none,
    alerts: none,
    checkpointing,
    deadLetters,
    outboxLagMs: 0,
  });
}

describe('the maintenance list', () => {
  it('names each task once', () => {
    const names = tasksOf().map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toHaveLength(11);
  });

  it('checks a remote store at most once a minute', () => {
    const source = { deps: shop.deps(), policy: async () => POLICY, deadLetters: shop.store.deadLetters };
    const none = async () => null;
    const remote = maintenanceTasks(
      { ...source, bus: none, alerts: none, checkpointing, outboxLagMs: 0 },
      awsStore({}).pace,
    );
    expect(Math.min(...remote.map(({ everyMs }) => everyMs))).toBe(60_000);
    expect(new Set(tasksOf().map(({ everyMs }) => everyMs))).toEqual(new Set([LOCAL_PACE.tickMs, LOCAL_PACE.dueMs]));
  });

  it('runs the tasks that need no policy while the policy cannot be read, and reports the others by name', async () => {
    const failed: string[] = [];
    const limits = { until: shop.clock.now() + 5_000, last: false };
    const report = await runTasks(tasksOf({ policy: unreadable }), limits, (name) => failed.push(name));
    expect(failed.sort()).toEqual(['exemption notices', 'requeue due', 'retention', 'rollout']);
    expect(report).toMatchObject({ keysDue: 0, published: 0, deadLettersRecorded: 0, pruned: 0 });
  });

  it('puts a key on the queue when its time has come', async () => {
    await shop.scan();
    await shop.workOff(await shop.process());
    await shop.clock.advance(HOUR);
    const report = await runTasks(tasksOf(), { until: shop.clock.now() + 5_000, last: false }, (name, error) => {
      throw new Error(name, { cause: error });
    });
    expect(report.keysDue).toBe(1);
    expect(await shop.messages()).toHaveLength(1);
  });
});

describe('a task that reports when it next has anything to do', () => {
  /** Runs the task once in a round at `now`. @returns whether the task ran */
  function roundsOf(results: () => TaskResult) {
    const rests = new TaskRests();
    return async (now: number): Promise<boolean> => {
      let ran = false;
      const run = async (): Promise<TaskResult> => {
        ran = true;
        return results();
      };
      const task: MaintenanceTask = { name: 'digest', group: 'store', everyMs: 60_000, run };
      await runTasks([task], { until: now, last: false }, () => undefined, { rests, clock: { now: () => now } });
      return ran;
    };
  }

  it('rests until then, and at most five minutes', async () => {
    const round = roundsOf(() => ({ restUntil: HOUR }));
    const ran: boolean[] = [];
    for (let minute = 0; minute <= 5; minute += 1) ran.push(await round(minute * 60_000));
    expect(ran).toEqual([true, false, false, false, false, true]);
    const short = roundsOf(() => ({ restUntil: 90_000 }));
    expect([await short(0), await short(89_999), await short(90_000)]).toEqual([true, false, true]);
  });

  it('runs in every round if it does not know, if it failed, and after the clock was set back', async () => {
    const unknown = roundsOf(() => ({}));
    expect([await unknown(0), await unknown(1)]).toEqual([true, true]);
    const failing = roundsOf(() => {
      throw new Error('the table is not available');
    });
    expect([await failing(0), await failing(1)]).toEqual([true, true]);
    const set = roundsOf(() => ({ restUntil: 2 * HOUR }));
    expect([await set(HOUR), await set(HOUR - MAX_REST_MS), await set(0)]).toEqual([true, true, true]);
  });

  it('is the digest until the next day, retention until its next search, and dead letters for a while', async () => {
    const now = shop.clock.now();
    await shop.scan({ ...shop.run(), policy: RETAINING });
    const resultOf = async (name: string): Promise<TaskResult> => {
      const task = tasksOf({ policy: async () => RETAINING }).find((each) => each.name === name);
      return (await task?.run({ until: now + 5_000, last: false })) ?? expect.fail(`no task ${name}`);
    };
    const day = 24 * HOUR;
    expect((await resultOf('digest')).restUntil).toBe((Math.floor(now / day) + 1) * day);
    expect((await resultOf('retention')).restUntil).toBe(now + HOUR);
    expect((await resultOf('dead letters')).restUntil).toBe(now + MAX_REST_MS);
    expect((await resultOf('exemption notices')).restUntil).toBe(now + MAX_REST_MS);
    expect((await resultOf('requeue due')).restUntil).toBeUndefined();
    expect((await resultOf('publish')).restUntil).toBeUndefined();
    expect((await resultOf('run stops')).restUntil).toBe(now + MAX_REST_MS);
  });
});

describe('the transparency log', () => {
  /** How many entries one run adds to the log if there are 40 chains with one entry each. @param slow how long reading a chain, or its place in the log, takes, ms */
  async function addedBy(pace: Pace, last: boolean, slow: { readonly chain?: number; readonly place?: number }) {
    const own = await Workshop.open({ policy: POLICY, cloud: { pendingMs: HOUR } });
    onTestFinished(() => own.close());
    const { ledger, registers, ...deps } = own.deps();
    await ledger.append(range(40).flatMap((n) => chainOf(account(n), 1)));
    const readStored = async (...of: Parameters<typeof ledger.readStored>) => {
      await own.clock.advance(slow.chain ?? 0);
      return ledger.readStored(...of);
    };
    const read = async (name: string) => {
      if (name.startsWith('log-chain/')) await own.clock.advance(slow.place ?? 0);
      return registers.read(name);
    };
    const none = async () => null;
    const slowDeps = { ...deps, ledger: { ...ledger, readStored }, registers: { ...registers, read } };
    const tasks = maintenanceTasks(
      {
        ...{ deps: slowDeps, policy: async () => POLICY, bus: none, alerts: none },
        ...{ checkpointing, deadLetters: own.store.deadLetters, outboxLagMs: 0 },
      },
      pace,
    );
    const [task] = tasks.filter(({ name }) => name === 'transparency log');
    // Like the search of each day, which looks at every chain.
    const begun = await update(registers, LOG, (known) => known ?? { ...EMPTY_LOG, searchedUntil: own.clock.now() });
    expect(begun.size).toBe(0);
    await task?.run({ until: own.clock.now() + 5_000, last });
    return (await readTyped(registers, LOG))?.value.size ?? 0;
  }

  it('takes only a small part of the time of a daemon with a local file, and all that is needed at its end', async () => {
    // A step reads 16 chains, and none begins after the limit.
    expect(await addedBy(LOCAL_PACE, false, { chain: 200 })).toBe(16);
    expect(await addedBy(LOCAL_PACE, true, { chain: 200 })).toBe(40);
    expect(await addedBy({ tickMs: 60_000, dueMs: 60_000 }, false, { chain: 200 })).toBe(40);
  });

  it('grows in each run, however long the search for new entries takes', async () => {
    expect(await addedBy(LOCAL_PACE, false, { place: 50 })).toBeGreaterThanOrEqual(16);
  });
});

/** A log that looks at every chain in its next run. */
const EMPTY_LOG = {
  ...{ id: 'a1b2c3d4', size: 0, comparedAt: 0, backfilled: null, runEnd: 0, restoredBy: null, broken: [] },
};
