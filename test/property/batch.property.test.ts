import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { halt, suspend, unhalt } from '../../shared/app/guardrails/controls.ts';
import { processMessage } from '../../shared/app/reconciler/deliver.ts';
import type { WorkContext } from '../../shared/app/reconciler/worker-context.ts';
import { createRetrying } from '../../shared/app/support/retry.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import { parseOperatorSelector } from '../../shared/domain/policy/index.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import { DAY, HOUR, NOW, policyOf } from '../support/domain-kit.ts';
import { cloudError, type Trouble, type WireCall } from '../support/memory-cloud.ts';
import { accountId, Workshop } from '../support/workshop.ts';

/*
 * One remediation protocol: if AWS gives the same answers, a batch writes the same entries for its accounts as reconciling them one by one. Only the client
 * token and the list of the batch differ.
 */

const FREELY = 'guardrails: { maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 }, failureTolerance: 100 }';
const OPERATIONS = {
  AssociateAccounts: policyOf('computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed', FREELY),
  DisassociateAccounts: policyOf('computeOptimizer: Active, organizationRules: NoneAllowed', FREELY),
} as const;
const MEMBERS = 3;

const member = fc.record({
  status: fc.constantFrom('Active', 'Inactive', 'Pending', 'Failed'),
  ruleMode: fc.constantFrom('AnyAllowed', 'NoneAllowed'),
  age: fc.constantFrom(HOUR, 2 * DAY, 30 * DAY),
});

/** An event before a round of work. */
const event = fc.oneof(
  fc.constant({ kind: 'none' as const, account: 0 }),
  fc.record({ kind: fc.constantFrom('revert', 'fix', 'suspend'), account: fc.nat({ max: MEMBERS - 1 }) }),
  fc.record({ kind: fc.constantFrom('halt', 'unhalt'), account: fc.constant(0) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** The answer of AWS to each change of a round, for any number of accounts. */
const answer = fc.constantFrom(
  'done',
  'done',
  'done',
  'throttled',
  'broken',
  'denied',
  'prerequisite',
  'lost',
  'refused',
);

const history = fc.record({
  operation: fc.constantFrom('AssociateAccounts', 'DisassociateAccounts'),
  pendingMs: fc.constantFrom(0, 10 * 60_000),
  members: fc.array(member, { minLength: MEMBERS, maxLength: MEMBERS }),
  rounds: fc.array(fc.record({ event, answer, pause: fc.constantFrom(2 * 60_000, 30 * 60_000, 2 * HOUR) }), {
    minLength: 1,
    maxLength: 4,
  }),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;
type BatchMessage = Extract<WorkMessage, { kind: 'batch' }>;

const isChange = ({ operation }: WireCall): boolean => /^Update|ssociate/.test(operation);

/** The same fault for every change; an answer is lost once per client token. */
function troubles(): { next: History['rounds'][number]['answer']; of(call: WireCall): Trouble | null } {
  const lost = new Set<string | null>();
  return {
    next: 'done',
    of(call) {
      if (!isChange(call)) return null;
      if (this.next === 'throttled') return { before: cloudError('Throttled', 'ThrottlingException') };
      if (this.next === 'broken') return { before: cloudError('Transient', 'InternalServerException') };
      if (this.next === 'denied') return { before: cloudError('Denied', 'AccessDeniedException') };
      if (this.next === 'prerequisite') return { before: cloudError('Prerequisite', 'OptInRequiredException') };
      if (this.next === 'refused') return { before: cloudError('Unauthenticated', 'ExpiredToken') };
      if (this.next !== 'lost' || lost.has(call.clientToken)) return null;
      lost.add(call.clientToken);
      return { after: cloudError('Transient', 'ECONNRESET') };
    },
  };
}

async function happen(shop: Workshop, { kind, account }: Event): Promise<void> {
  const id = accountId(account);
  const { registers } = shop.store;
  const deps = { registers, clock: shop.clock, newId: () => 'an-act', actor: 'alice' };
  if (kind === 'halt') await halt(deps, 'stop');
  if (kind === 'unhalt') await unhalt(deps);
  if (kind === 'revert') shop.cloud.set(id, { automation: { status: 'Inactive', ruleMode: 'NoneAllowed' } });
  if (kind === 'fix') shop.cloud.set(id, { automation: { status: 'Active', ruleMode: 'AnyAllowed' } });
  if (kind !== 'suspend') return;
  const parsed = parseOperatorSelector(id);
  if (!parsed.ok) expect.fail(id);
  await suspend(deps, { selector: parsed.selector, until: null, reason: 'busy' });
}

/** Works on a message and its follow-ups. Rejected credentials end the work on a message. */
async function workOn(work: WorkContext, message: WorkMessage): Promise<void> {
  const { followUps } = await processMessage(work, message).catch((error: unknown) => {
    expect(String(error)).toContain('ExpiredToken');
    return { followUps: [] };
  });
  for (const each of followUps) await workOn(work, each);
}

type Entry = Pick<LedgerEntry, 'type' | 'at' | 'enrollment' | 'before' | 'after' | 'reason' | 'api' | 'detail'>;

/** An entry without the parts that may differ: ids, hashes, the client token and the batch. */
function comparable({ id: _id, hash: _hash, prevHash: _prev, api, detail, ...entry }: LedgerEntry): Entry {
  const { batch: _batch, intentId, ...rest } = detail ?? {};
  const token = api?.clientToken === undefined || api.clientToken === null ? null : 'a token';
  return {
    ...entry,
    api: api === null ? null : { ...api, clientToken: token },
    detail: detail === null ? null : { ...rest, ...(intentId === undefined ? {} : { intentId: 'an intent' }) },
  };
}

/** The entries of each account after a history. @param split divides the work of a round among the workers */
async function live(
  { operation, pendingMs, members, rounds }: History,
  split: (message: BatchMessage) => readonly WorkMessage[],
): Promise<{ readonly entries: readonly (readonly Entry[])[]; readonly stopped: boolean }> {
  const trouble = troubles();
  const policy = OPERATIONS[operation];
  const cloud = { pendingMs, trouble: (call: WireCall) => trouble.of(call) };
  const shop = await Workshop.open({ policy, members: MEMBERS, cloud });
  try {
    for (const [n, { status, ruleMode, age }] of members.entries()) {
      const lastUpdated = NOW - age;
      shop.cloud.set(accountId(n), {
        // The Automation listing only has accounts enrolled in Compute Optimizer; others are always reconciled one by one.
        computeOptimizer: { status: 'Active', lastUpdated: NOW - 30 * DAY },
        automation: { status, ruleMode, lastUpdated },
      });
    }
    const run = shop.run();
    await shop.scan(run);
    // Retries have no delay: otherwise the single keys that a batch enqueues would have later times.
    const retrying = createRetrying(shop.clock, () => 0, shop.settings.retryBudgetMs);
    const work = { ...(await shop.process()), retrying };
    const accountIds = shop.members.map(({ id }) => id);
    const { runId, planHash } = run;
    const batch = { v: 1, kind: 'batch', policyHash: policy.hash, runId, planHash, operation, accountIds } as const;
    for (const { event: what, answer: next, pause } of rounds) {
      await shop.clock.advance(pause);
      await happen(shop, what);
      trouble.next = next;
      await shop.settle(Promise.all(split(batch).map((message) => workOn(work, message))));
    }
    await shop.checkInvariants();
    const entries = await Promise.all(accountIds.map(async (id) => (await shop.chain(id)).map(comparable)));
    const stopped = (await shop.chain(ORGANIZATION_CHAIN)).some(({ type }) => type === 'GuardrailTripped');
    return { entries, stopped };
  } finally {
    await shop.close();
  }
}

const together = (message: BatchMessage): readonly WorkMessage[] => [message];

function oneByOne({ accountIds, operation: _operation, kind: _kind, ...common }: BatchMessage): readonly WorkMessage[] {
  return accountIds.map((id) => ({ ...common, kind: 'account', accountId: id, enrollment: 'automation' }));
}

it('a batch writes the same entries for each account as reconciling it alone', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (lived) => {
      const batch = await live(lived, together);
      const alone = await live(lived, oneByOne);
      // failureTolerance counts calls: accounts that fail alone can stop a run that one failed batch does not stop.
      fc.pre(!batch.stopped && !alone.stopped);
      expect(batch.entries).toEqual(alone.entries);
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 60_000);
