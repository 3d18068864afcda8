import { describe, expect, it } from 'vitest';
import type { FaultKind } from '../../services/sandbox/engine/faults.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { startWorld, type World } from '../support/world.ts';
import { type Allowed, checkWorld } from '../support/world-checks.ts';

const KINDS: readonly FaultKind[] = ['empty-answer', 'null-answer', 'empty-body'];

/** Opts out every account whose tag is not one of those that accounts have. All of them have it. */
const UNTAGGED = {
  automation: 'Active',
  more: 'rules: [{ id: untagged, match: { not: { tags: { env: [canary, dev, management, platform, prod, sandbox, security, test] } } }, computeOptimizer: Inactive, automation: unmanaged }]',
};

/** All operations that a run or a dry run calls. */
const ASKED: readonly string[] = [
  'GetResources',
  'ListTagsForResource',
  'ListAccounts',
  'ListOrganizationalUnitsForParent',
  'DescribeOrganization',
  'GetCallerIdentity',
  'GetEnrollmentStatusesForOrganization',
  'GetEnrollmentStatus',
  'GetEnrollmentConfiguration',
  'ListAWSServiceAccessForOrganization',
  'AssumeRole',
];

/** Makes the caller read tags one account at a time. */
const NO_INDEX = { operation: 'GetResources', kind: 'denied' } as const;

const optedOut = (world: World) =>
  world.wire.mutating.filter(({ optOut }) => optOut).map(({ operation, caller }) => `${operation} ${caller}`);

async function leftAccounts(world: World): Promise<readonly string[]> {
  const entries = await world.look(
    async ({ ledger }) => (await ledger.query({ type: 'AccountLeft' }, { limit: 10 })).entries,
  );
  return entries.map(({ chain }) => chain);
}

/** AWS answers correctly again: all accounts become compliant, and the incomplete answers led to no entry. */
async function expectUnharmed(world: World, allowed: Allowed = {}): Promise<void> {
  world.sandbox.setFaults([]);
  for (let round = 0; round < 2; round += 1) {
    world.clock.advance(25 * 3_600_000);
    await world.run();
  }
  expect(optedOut(world)).toEqual([]);
  expect(world.wire.mutating.filter(({ organizationWide }) => organizationWide)).toEqual([]);
  expect(await leftAccounts(world)).toEqual([]);
  await checkWorld(world, allowed);
}

async function enrolledWorld(drift = 0): Promise<World> {
  return startWorld({ speed: 60, sandbox: { accounts: 25, drift }, policy: UNTAGGED });
}

describe('answers of 200 without their list', { timeout: 180_000 }, () => {
  it('the policy of these tests opts out no account', async () => {
    const world = await enrolledWorld(0.3);
    const run = await world.run();
    expect(run.open).toEqual([]);
    expect(optedOut(world)).toEqual([]);
    await checkWorld(world);
  });

  it('for all tags: plan and apply fail, and no account is opted out', async () => {
    const world = await enrolledWorld();
    await world.run();
    const before = world.wire.mutating.length;
    // The snapshot of the first run is too old by then.
    world.clock.advance(3_600_000);
    const reads = [
      { operation: 'GetResources', lacks: 'ResourceTagMappingList', others: [] },
      { operation: 'ListTagsForResource', lacks: 'Tags', others: [NO_INDEX] },
    ];
    for (const { kind, operation, lacks, others } of KINDS.flatMap((kind) =>
      reads.map((read) => ({ ...read, kind })),
    )) {
      world.sandbox.setFaults([{ operation, kind }, ...others]);
      for (const act of [() => world.plan(), () => world.run()]) {
        const failure: unknown = await act().catch((error: unknown) => error);
        if (!(failure instanceof CloudError)) throw new Error(`${kind} did not fail`);
        expect(failure.details).toMatchObject({ kind: 'Transient', code: 'IncompleteAnswer' });
        expect(failure.message).toContain(operation);
        expect(failure.message).toContain(`the answer lacks ${lacks}`);
      }
    }
    expect(world.wire.mutating.length).toBe(before);
    await expectUnharmed(world);
  });

  it('for the tags of some accounts: those are Unknown, the others are enrolled', async () => {
    const guardrails =
      '{ maxChanges: { percent: 100, atLeast: 10 }, maxOptOuts: { percent: 100, atLeast: 0 }, minCoverage: 80 }';
    const policy = { ...UNTAGGED, guardrails };
    const world = await startWorld({ speed: 60, sandbox: { accounts: 25, drift: 0.4 }, policy });
    const drifted = world.members(({ computeOptimizer: { status } }) => status !== 'Active');
    const unreadable = drifted.slice(0, KINDS.length).map(({ accountId }) => accountId);
    expect(drifted.length).toBeGreaterThan(KINDS.length);
    world.sandbox.setFaults([
      NO_INDEX,
      ...KINDS.map((kind, at) => ({ operation: 'ListTagsForResource', accountId: unreadable[at], kind })),
    ]);
    const plan = await world.plan();
    const changed = plan.changes.map(({ accountId }) => accountId);
    expect(changed.filter((accountId) => unreadable.includes(accountId))).toEqual([]);
    await world.run();
    const { summary } = await world.plan();
    expect(summary.computeOptimizer).toMatchObject({ Unknown: KINDS.length });
    expect(summary.computeOptimizer.Drifted ?? 0).toBe(0);
    const records = await world.records();
    for (const accountId of unreadable) {
      const record = records.get(accountId);
      expect(record?.conditions.computeOptimizer).toMatchObject({
        verdict: 'Unknown',
        reason: 'tagsUnreadable',
        rule: null,
      });
      expect(record?.present).toBe(true);
    }
    expect(world.wire.mutating.length).toBeGreaterThan(0);
    await expectUnharmed(world);
  });

  it('occasionally: they are retried and change nothing', async () => {
    const faults = KINDS.map((kind) => ({ kind, probability: 0.07 }));
    const world = await startWorld({ sandbox: { accounts: 25, drift: 0.4, faults }, policy: UNTAGGED });
    await world.run();
    // A change with an empty answer took effect, and is retried.
    await expectUnharmed(world, { repeatedCalls: true });
  });

  it('of one operation always: nothing is concluded', async () => {
    const world = await enrolledWorld(0.2);
    await world.run();
    for (const operation of ASKED) {
      world.clock.advance(3_600_000);
      world.sandbox.drift({ accounts: 3 });
      const others = operation === 'ListTagsForResource' ? [NO_INDEX] : [];
      world.sandbox.setFaults([{ operation, kind: 'empty-answer' }, ...others]);
      const before = world.calls(operation);
      const ended: unknown = await world.run({ waitMs: 5_000 }).catch((error: unknown) => error);
      if (ended instanceof Error) expect(ended, operation).toBeInstanceOf(CloudError);
      expect(world.calls(operation), operation).toBeGreaterThan(before);
      expect(optedOut(world), operation).toEqual([]);
      world.sandbox.setFaults([]);
      world.clock.advance(25 * 3_600_000);
      expect((await world.run()).open, operation).toEqual([]);
    }
    await expectUnharmed(world);
  });
});
