import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createRandom } from '../../services/sandbox/engine/random.ts';
import type { AwsStores } from '../../shared/adapters/aws/store.ts';
import { verifyLedger } from '../../shared/app/queries/audit/verify.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts';
import { readRecords } from '../support/world.ts';
import { foldAll, ledgerFaults, readChains } from '../support/world-checks.ts';
import { policyText } from '../support/world-policy.ts';

const POLICY = policyText({ callsPerSecond: 1000, concurrency: 8 });
const UNREADABLE = ['no JSON at all', '{}', '{"v":2,"kind":"account","accountId":"111111111111"}'];

const batch = z.object({ QueueUrl: z.string(), Entries: z.array(z.looseObject({ MessageBody: z.string() })) });
const events = z.object({ Entries: z.array(z.unknown()) });
const answered = z.looseObject({ Entries: z.array(z.unknown()) });

/** Messages leave in another order than they came, and every third comes once more, later. @returns how many came twice. */
function disturbQueue(world: AwsWorld): () => number {
  let doubled = 0;
  world.queueDoor.decide = ({ operation, body }) => {
    const parsed = operation === 'SendMessageBatch' ? batch.safeParse(body) : null;
    if (!parsed?.success || parsed.data.QueueUrl !== world.stores.queueUrl) return undefined;
    for (const { MessageBody } of parsed.data.Entries.filter((_, index) => index % 3 === 0)) {
      doubled += 1;
      void world.send(MessageBody);
    }
    return { kind: 'pass', body: { ...body, Entries: parsed.data.Entries.toReversed() } };
  };
  return () => doubled;
}

/** One event in eight is refused on its own while its call is answered with 200. @returns how many were. */
function disturbBus(world: AwsWorld, random: () => number): () => number {
  let refused = 0;
  world.busDoor.decide = ({ operation, body }) => {
    const parsed = operation === 'PutEvents' ? events.safeParse(body) : null;
    if (!parsed?.success) return undefined;
    const { Entries } = parsed.data;
    const fails = Entries.map((_, index) => index > 0 && random() < 0.125);
    refused += fails.filter(Boolean).length;
    const change = (answer: unknown): unknown => {
      const { Entries: results, ...rest } = answered.parse(answer);
      const inOrder = fails.map((failed) =>
        failed ? { ErrorCode: 'InternalFailure', ErrorMessage: 'as the test wants it' } : results.shift(),
      );
      return { ...rest, FailedEntryCount: fails.filter(Boolean).length, Entries: inOrder };
    };
    return { kind: 'pass', body: { ...body, Entries: Entries.filter((_, index) => !fails[index]) }, change };
  };
  return () => refused;
}

/** Pending work: messages, claims, unpublished entries. */
async function unfinished({ stores }: AwsWorld, { ledger, records }: AwsStores): Promise<string | null> {
  const messages = stores.bodies('work').length;
  if (messages > 0) return `${messages} messages`;
  const [due] = await records.due(Date.now() + 600_000, 1);
  if (due !== undefined) return `account ${due.record.accountId} waits: ${JSON.stringify(due)}`;
  const [entry] = await ledger.unpublished(1);
  return entry === undefined ? null : `entry ${entry.chain}#${entry.seq} is not published`;
}

const typesOf = (entries: readonly LedgerEntry[], type: string): number =>
  entries.filter((entry) => entry.type === type).length;

describe('an organization of 90 accounts, several worker processes and the functions', () => {
  it('converges through duplicates, disorder, poison, a killed worker, a failing bus and a throttled table', async () => {
    const world = await startAwsWorld({
      ...{ accounts: 90, drift: 0.7, seed: 5, latencyMs: 10 },
      faults: [
        { operation: 'UpdateEnrollmentStatus', kind: 'throttle', from: 40, count: 4 },
        { operation: 'GetEnrollmentStatus', kind: 'reset', from: 60, count: 4 },
      ],
    });
    const { sandbox } = world.running;
    const drifted = sandbox
      .accounts()
      .filter(({ state, computeOptimizer }) => state === 'ACTIVE' && computeOptimizer.status !== 'Active');
    expect(drifted.length).toBeGreaterThan(50);
    const random = createRandom(11);
    world.stores.refuse = () => (random() < 0.04 ? 'ProvisionedThroughputExceededException' : null);
    const doubled = disturbQueue(world);
    const refusedEvents = disturbBus(world, random);
    for (const body of UNREADABLE) await world.send(body);

    const [victim, other] = [world.worker({ policyText: POLICY }), world.worker({ policyText: POLICY })];
    const functions = world.functions({ policyText: POLICY });
    const all = [other, functions];
    world.onChange = (number) => {
      // During its calls: eight concurrent ones, each of 10 ms or more.
      if (number === 30) victim.process.kill('SIGKILL');
      if (number === 31) all.push(world.worker({ policyText: POLICY }));
    };
    const open = () =>
      sandbox.accounts().filter((each) => each.state === 'ACTIVE' && each.computeOptimizer.status !== 'Active');
    const stores = await world.look();
    await world.activity.until(() => (open().length === 0 ? null : `${open().length} accounts are not Active`));
    await world.activity.until(() => unfinished(world, stores));
    expect(await victim.ended).toMatchObject({ signal: 'SIGKILL' });
    for (const { process } of all) process.kill('SIGTERM');
    for (const { ended } of all) expect(await ended).toMatchObject({ code: 0, signal: null });
    const invoked = z.object({ ticks: z.number(), batches: z.number() });
    const { ticks, batches } = invoked.parse(JSON.parse((await functions.ended).stdout.split('\n').at(-2) ?? ''));

    const [chains, verified, records] = await Promise.all([
      readChains(stores),
      verifyLedger(stores.ledger, stores.records),
      readRecords(stores),
    ]);
    expect(verified.fault).toBeNull();
    expect(ledgerFaults(chains)).toEqual([]);
    expect(records).toEqual(foldAll(chains));
    for (const { accountId } of drifted) {
      const entries = chains.get(accountId) ?? [];
      const endings = [typesOf(entries, 'DriftDetected'), typesOf(entries, 'DriftResolved')];
      expect([accountId, ...endings]).toEqual([accountId, 1, 1]);
    }
    expect(world.mutating.filter(({ intended }) => !intended)).toEqual([]);
    const published = sandbox.events().filter(({ Source }) => Source === 'rollcall');
    const received = new Set(
      published.map(({ Detail }) => z.object({ id: z.string() }).parse(JSON.parse(String(Detail))).id),
    );
    const entries = [...chains.values()].flat();
    expect(entries.filter(({ id }) => !received.has(id))).toEqual([]);
    expect(world.stores.bodies('dead').toSorted()).toEqual(UNREADABLE.toSorted());
    const buried = (chains.get(ORGANIZATION_CHAIN) ?? []).filter(({ reason }) => reason === 'deadLettered');
    expect(buried.length).toBe(UNREADABLE.length);
    // That all of this did happen.
    expect(ticks).toBeGreaterThan(0);
    expect(batches).toBeGreaterThan(0);
    expect(sandbox.calls().reduce((sum, { throttled }) => sum + throttled, 0)).toBeGreaterThan(0);
    expect(doubled()).toBeGreaterThan(20);
    expect(refusedEvents()).toBeGreaterThan(20);
    expect(world.stores.refused.get('ProvisionedThroughputExceededException')).toBeGreaterThan(20);
  }, 900_000);
});
