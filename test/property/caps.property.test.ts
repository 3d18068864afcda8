import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentChanges } from '../../shared/app/reconciler/change-caps.ts';
import { processMessage } from '../../shared/app/reconciler/deliver.ts';
import { ChangeRefused, type Check, Guard } from '../../shared/app/reconciler/guard.ts';
import { checksOf } from '../../shared/app/reconciler/guard-checks.ts';
import type { WorkContext } from '../../shared/app/reconciler/worker-context.ts';
import { beginPart, endPart, requestScan } from '../../shared/app/schedule/scan-schedule.ts';
import { enqueueAccounts } from '../../shared/app/work-queue/enqueue-event-accounts.ts';
import { changedAccounts, type Intent } from '../../shared/domain/decision/changed-accounts.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { toIso } from '../../shared/domain/time.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';
import { HOUR, MINUTE, policyOf } from '../support/domain-kit.ts';
import { cloudError, type WireCall } from '../support/memory-cloud.ts';
import { accountId, Workshop } from '../support/workshop.ts';

const MEMBERS = 10;
const MAX_CHANGES = 4;
const MAX_OPT_OUTS = 2;
const POLICY = policyOf(
  'computeOptimizer: Active',
  `rules: [{ id: off, match: { accounts: ["${accountId(8)}", "${accountId(9)}", "${accountId(7)}"] }, computeOptimizer: Inactive }]
guardrails: { maxChanges: { percent: 0, atLeast: ${MAX_CHANGES} }, maxOptOuts: { percent: 0, atLeast: ${MAX_OPT_OUTS} } }`,
);

/** The events, in any order: someone changes an account, or several with an event; a scan; work by a worker of any process. */
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('drift' as const), n: fc.nat({ max: MEMBERS - 1 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('scan' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('storm' as const),
      ns: fc.array(fc.nat({ max: MEMBERS - 1 }), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      n: fc.integer({ min: 3, max: 30 }),
      together: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.constantFrom(1, 12, 24) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

interface Made {
  readonly at: number;
  readonly id: AccountId;
  readonly optOut: boolean;
}

class Life {
  readonly shop: Workshop;
  readonly workers: readonly WorkContext[];
  readonly made: Made[] = [];
  waiting: WorkMessage[] = [];
  scanned = false;

  constructor(shop: Workshop, workers: readonly WorkContext[]) {
    this.shop = shop;
    this.workers = workers;
  }

  async step(step: Step): Promise<void> {
    const { shop } = this;
    switch (step.kind) {
      case 'drift':
        this.drift(step.n);
        break;
      case 'scan': {
        if (this.scanned) await shop.clock.advance(HOUR);
        const request = await requestScan(shop.deps(), POLICY);
        if (request === null) throw new Error('a scan is due every hour');
        this.scanned = true;
        await beginPart(shop.deps(), request.runId);
        await shop.scan({ ...shop.run(), runId: request.runId });
        await endPart(shop.deps(), request.runId, 'done');
        break;
      }
      case 'storm':
        for (const n of step.ns) this.drift(n);
        await enqueueAccounts(shop.deps(), POLICY.hash, step.ns.map(accountId));
        break;
      case 'work':
        await this.work(step.n, step.together);
        break;
      case 'later':
        await shop.clock.advance(step.hours * HOUR);
    }
    this.note();
    this.check();
  }

  drift(n: number): void {
    this.shop.cloud.set(accountId(n), { computeOptimizer: { status: n >= 7 ? 'Active' : 'Inactive' } });
  }

  /** Receives some messages in another order, and works on them one by one or concurrently in all processes. */
  async work(n: number, together: boolean): Promise<void> {
    this.waiting.push(...(await this.shop.messages()));
    const taken = Array.from({ length: Math.min(n, this.waiting.length) }, (_, index) => {
      return this.waiting.splice((index * 7 + n) % this.waiting.length, 1)[0];
    }).filter((message) => message !== undefined);
    const run = async (message: WorkMessage, index: number): Promise<void> => {
      const work = this.workers[index % this.workers.length];
      if (work !== undefined) await processMessage(work, message);
    };
    if (together) await this.shop.settle(Promise.all(taken.map(run)));
    else for (const [index, message] of taken.entries()) await this.shop.settle(run(message, index));
  }

  note(): void {
    for (const { accountIds, status } of this.shop.cloud.changes.slice(this.made.length)) {
      const [id = ''] = accountIds;
      this.made.push({ at: this.shop.clock.now(), id, optOut: status === 'Inactive' });
    }
  }

  check(): void {
    const since = this.shop.clock.now() - 24 * HOUR;
    const recent = this.made.filter(({ at }) => at > since);
    expect(new Set(recent.map(({ id }) => id)).size).toBeLessThanOrEqual(MAX_CHANGES);
    expect(new Set(recent.filter(({ optOut }) => optOut).map(({ id }) => id)).size).toBeLessThanOrEqual(MAX_OPT_OUTS);
  }
}

let changes = 0;
let refusals = 0;

/** A ledger whose index lags by this many ms, like that of a table. */
function behind({ store, clock }: Workshop, lagMs: number): Ledger {
  return {
    ...store.ledger,
    async changedSince(since) {
      const until = toIso(clock.now() - lagMs + 1);
      const { entries } = await store.ledger.query({ since, until }, { limit: 10_000 });
      const placeOf = ({ accountId: id, enrollment, seq, detail }: LedgerEntry): Intent[] =>
        id === null ? [] : [{ accountId: id, enrollment, seq, optOut: detail?.optOut === true, approved: false }];
      const intents = entries.filter(({ type }) => type === 'RemediationStarted').flatMap(placeOf);
      return changedAccounts(intents, entries.filter(({ detail }) => detail?.unsent === true).flatMap(placeOf));
    },
  };
}

/** The faults of calls: one in this many. */
interface Trouble {
  /** The guard rejects the call after its intent is written. */
  readonly vetoEvery: number;
  /** The answer is lost, so the effect of the call is unknown. */
  readonly lostEvery: number;
}

const NO_TROUBLE: Trouble = { vetoEvery: Number.POSITIVE_INFINITY, lostEvery: Number.POSITIVE_INFINITY };

/** A process whose guard has a last check that rejects some calls. */
function refusing(work: WorkContext, every: number, count: { asked: number; refused: number }): WorkContext {
  const { deps, runs, policy, controls } = work;
  const refuse: Check = {
    async ask({ stage }) {
      if (stage === 'claim') return;
      count.asked += 1;
      if (count.asked % every !== 0) return;
      count.refused += 1;
      throw new ChangeRefused('rollout', 'refused on purpose', deps.clock.now() + 1_000);
    },
  };
  return { ...work, guard: new Guard({ runs, deps }, [...checksOf({ deps, runs, policy, controls }), refuse]) };
}

async function live(steps: readonly Step[], lagMs: number, trouble: Trouble = NO_TROUBLE): Promise<void> {
  let calls = 0;
  const lost = (call: WireCall) => {
    if (call.status === null) return null;
    calls += 1;
    return calls % trouble.lostEvery === 0 ? { after: cloudError('Transient', 'ECONNRESET', true) } : null;
  };
  const shop = await Workshop.open({ policy: POLICY, members: MEMBERS, cloud: { trouble: lost } });
  const count = { asked: 0, refused: 0 };
  try {
    for (const n of [0, 1, 2, 3, 4, 5, 6]) shop.cloud.set(accountId(n), { computeOptimizer: { status: 'Active' } });
    const process = async () => refusing(await shop.process({ ledger: behind(shop, lagMs) }), trouble.vetoEvery, count);
    const life = new Life(shop, [await process(), await process(), await process()]);
    await life.step({ kind: 'scan' });
    for (const step of steps) await life.step(step);
    await shop.checkInvariants();
    // A rejected call does not count against the caps; a sent call does, whatever its outcome.
    // An intent is a little older than its calls. Steps take full hours, so none of them is near this time.
    const since = shop.clock.now() - 24 * HOUR + 10 * MINUTE;
    const touched = life.made.filter(({ at }) => at >= since);
    const counted = await shop.store.ledger.changedSince(toIso(since));
    expect(new Set(counted.keys())).toEqual(new Set(touched.map(({ id }) => id)));
    changes += life.made.length;
    refusals += count.refused;
  } finally {
    await shop.close();
  }
}

/** Repeats random runs until there were more than `least` cases of interest, because their number depends on the seed. */
async function untilExamined(least: number, examined: () => number, run: () => Promise<void>): Promise<void> {
  for (let round = 0; round < 5 && examined() <= least; round += 1) await run();
}

it('no interleaving of scans, events and processes changes more accounts in 24 hours than the caps allow', async () => {
  const steps = fc.array(anyStep, { minLength: 10, maxLength: 60 });
  const lag = fc.constantFrom(0, 1_000, 10_000);
  const lives = fc.asyncProperty(steps, lag, (all, lagMs) => live(all, lagMs));
  // Without any change the property would be trivial.
  await untilExamined(
    40,
    () => changes,
    () => fc.assert(lives, { numRuns: 15, endOnFailure: true }),
  );
  expect(changes).toBeGreaterThan(40);
}, 120_000);

it('the caps hold with late rejections and lost answers, and unsent calls do not count', async () => {
  const steps = fc.array(anyStep, { minLength: 10, maxLength: 40 });
  const trouble = fc.record({ vetoEvery: fc.constantFrom(2, 3, 5), lostEvery: fc.constantFrom(2, 3, 7) });
  const lives = fc.asyncProperty(steps, fc.constantFrom(0, 1_000), trouble, live);
  await untilExamined(
    10,
    () => refusals,
    () => fc.assert(lives, { numRuns: 12, endOnFailure: true }),
  );
  expect(refusals).toBeGreaterThan(10);
}, 120_000);

it('incremental counting equals counting the union of requested, reserved and changed accounts', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const changes = fc.array(fc.tuple(id, fc.boolean()), { maxLength: 12 });
  const asked = fc.uniqueArray(id, { maxLength: 4 });
  const ids = asked.map((some): ReadonlySet<string> => new Set(some));
  const known = fc.record({ changed: changes, reserved: fc.record({ changes: ids, optOuts: ids }), asked });
  fc.assert(
    fc.property(known, fc.boolean(), ({ changed, reserved, asked: requested }, optOutsOnly) => {
      const picture = new RecentChanges();
      for (const [each, optOut] of changed) picture.add(each, { optOut, counted: true });
      const counted = changed.filter(([, optOut]) => optOut || !optOutsOnly).map(([each]) => each);
      const union = new Set([...requested, ...counted, ...(optOutsOnly ? reserved.optOuts : reserved.changes)]);
      expect(picture.sizeWith(requested, reserved, optOutsOnly)).toBe(union.size);
      // Reading the count does not change it.
      expect(picture.sizeWith(requested, reserved, optOutsOnly)).toBe(union.size);
    }),
    { numRuns: 1_000 },
  );
});
