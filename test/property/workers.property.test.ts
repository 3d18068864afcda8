import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunStore } from '../../shared/app/coordination/run-store.ts';
import { processMessage } from '../../shared/app/reconciler/deliver.ts';
import type { WorkContext } from '../../shared/app/reconciler/worker-context.ts';
import { queueDue } from '../../shared/app/work-queue/requeue-due.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { ChangeRequest, SendChange } from '../../shared/ports/cloud.ts';
import { policyOf } from '../support/domain-kit.ts';
import { cloudError, type Trouble, type WireCall } from '../support/memory-cloud.ts';
import { accountId, Workshop } from '../support/workshop.ts';

/** The kinds that the policy manages. */
const KINDS = ['computeOptimizer', 'automation'] as const;

const POLICY = policyOf(
  'computeOptimizer: Active, automation: Active',
  'guardrails: { maxChanges: { percent: 100 }, failureTolerance: 100 }',
);
const MEMBERS = 3;

/** The faults of a call. A process that `dies`, before or after the effect of the call, never gets an answer. */
const anyFate = fc.constantFrom('ok', 'ok', 'ok', 'ok', 'throttled', 'lost', 'diesBefore', 'diesAfter');

const never = new Promise<never>(() => undefined);

function troubleOf(fate: string): Trouble | null {
  switch (fate) {
    case 'throttled':
      return { before: cloudError('Throttled', 'ThrottlingException') };
    case 'lost':
      return { after: cloudError('Transient', 'ECONNRESET') };
    default:
      return null;
  }
}

function checkAccount(chain: readonly LedgerEntry[]): void {
  for (const name of KINDS) {
    const entries = chain.filter(({ enrollment }) => enrollment === name);
    const intents = entries.filter(({ type }) => type === 'RemediationStarted').map(({ id }) => id);
    const closed = entries.flatMap(({ detail }) => detail?.intentId ?? []);
    // Every intent has exactly one outcome, and there are no other outcomes.
    expect([...closed].sort()).toEqual([...intents].sort());
    const begun = entries.filter(({ type }) => type === 'DriftDetected').length;
    const ended = entries.filter(({ type }) => type === 'DriftResolved').length;
    expect(begun).toBe(ended);
  }
}

/** Two processes work on duplicated messages while calls fail and processes die; then a healthy process finishes. */
async function live(fates: readonly string[], order: readonly number[]): Promise<void> {
  let left = [...fates];
  const trouble = ({ operation }: WireCall): Trouble | null =>
    operation.startsWith('Update') ? troubleOf(left.shift() ?? 'ok') : null;
  const shop = await Workshop.open({ policy: POLICY, members: MEMBERS, cloud: { trouble } });
  try {
    await shop.scan();
    const messages = await shop.messages();
    const mortal = (work: WorkContext): WorkContext => ({
      ...work,
      deps: { ...work.deps, cloud: dying(shop, () => left) },
    });
    const workers = [mortal(await shop.process()), mortal(await shop.process())];
    const doubled = order.map((n) => messages[n % messages.length]).filter((message) => message !== undefined);
    const handled = doubled.map((message, n) => {
      const worker = workers[n % workers.length];
      return worker === undefined ? never : processMessage(worker, message);
    });
    // Work of a dead process never ends. All other work has had enough time.
    const gone = Promise.allSettled(handled.map((each) => Promise.race([each, shop.clock.sleep(5 * 60_000)])));
    await shop.settle(gone);
    left = [];
    const healthy = await shop.process();
    const runs = new RunStore(shop.store.registers);
    await shop.store.queue.send(messages);
    for (let minute = 0; minute < 30; minute += 1) {
      await shop.workOff(healthy);
      await shop.clock.advance(60_000);
      await queueDue(shop.deps(), runs, POLICY.hash);
    }
    await shop.checkInvariants();
    for (let n = 0; n < MEMBERS; n += 1) {
      checkAccount(await shop.chain(accountId(n)));
      for (const name of ['computeOptimizer', 'automation'] as const)
        expect((await shop.condition(accountId(n), name)).verdict).toBe('Compliant');
    }
    const intents = (await Promise.all(shop.members.map(({ id }) => shop.chain(id))))
      .flat()
      .filter(({ type }) => type === 'RemediationStarted').length;
    const repeated = fates.filter((fate) => fate === 'throttled' || fate === 'lost').length;
    expect(shop.cloud.changes.length).toBeLessThanOrEqual(intents + repeated);
  } finally {
    await shop.close();
  }
}

/** A cloud whose process dies at calls with such a fault. */
function dying(shop: Workshop, fates: () => readonly string[]) {
  const { cloud } = shop;
  const prepareChange = async (request: ChangeRequest): Promise<SendChange> => {
    const [fate] = fates();
    const send = await cloud.prepareChange(request);
    return async () => {
      if (fate === 'diesBefore') return never;
      const answer = await send();
      return fate === 'diesAfter' ? never : answer;
    };
  };
  return { ...cloud, prepareChange };
}

it('with faults, crashes and duplicates, every account becomes compliant, every intent has one outcome, and no claim has two calls', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFate, { maxLength: 8 }),
      fc.array(fc.nat({ max: 9 }), { minLength: 2, maxLength: 8 }),
      live,
    ),
    { numRuns: 15, endOnFailure: true },
  );
}, 60_000);
