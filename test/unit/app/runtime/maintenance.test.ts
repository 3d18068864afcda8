import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCAL_PACE, maintenanceTasks, runTasks } from '../../../../shared/app/runtime/maintenance.ts';
import { awsStore } from '../../../../shared/compose/stores/aws.ts';
import { policyOf } from '../../../support/domain-kit.ts';
import { Workshop } from '../../../support/workshop.ts';

const POLICY = policyOf('computeOptimizer: Active', 'guardrails: { maxChanges: { percent: 100 } }');
const HOUR = 3_600_000;
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
  return maintenanceTasks({ deps: shop.deps(), policy, bus: none, alerts: none, deadLetters, outboxLagMs: 0 });
}

describe('the maintenance list', () => {
  it('names each task once', () => {
    const names = tasksOf().map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toHaveLength(9);
  });

  it('checks a remote store at most once a minute', () => {
    const source = { deps: shop.deps(), policy: async () => POLICY, deadLetters: shop.store.deadLetters };
    const none = async () => null;
    const remote = maintenanceTasks({ ...source, bus: none, alerts: none, outboxLagMs: 0 }, awsStore({}).pace);
    expect(Math.min(...remote.map(({ everyMs }) => everyMs))).toBe(60_000);
    expect(new Set(tasksOf().map(({ everyMs }) => everyMs))).toEqual(new Set(Object.values(LOCAL_PACE)));
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
