import { type AccountRecord, emptyRecord } from '../../domain/account/record.ts';
import { accountEntry, type EntryContext, facetOfCondition } from '../../domain/account/transition.ts';
import {
  type CompiledControls,
  type Controls,
  compileControls,
  expired,
  NO_CONTROLS,
  type Notice,
} from '../../domain/decision/operator-controls.ts';
import type { Condition, Facet } from '../../domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { differs } from '../../domain/enrollment/mismatch.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Detail, EntryDraft, LedgerEntry } from '../../domain/ledger/entry.ts';
import { type OrganizationAccount, parseOperatorSelector } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { update } from '../coordination/typed-register.ts';
import { openApprovals, usedApprovals } from '../guardrails/approvals.ts';
import { CONTROLS, readControls } from '../guardrails/controls.ts';
import { commandContext, organizationEntry } from '../ledger/organization-entry.ts';
import { writeEntries, writeOrganizationEntry } from '../ledger/write-entries.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';
import { wideCallMessages } from '../work-queue/enqueue-plan.ts';
import { queueDue, snoozeAll } from '../work-queue/requeue-due.ts';

export type SettleDeps = Pick<
  Deps,
  'ledger' | 'records' | 'registers' | 'snapshots' | 'queue' | 'clock' | 'newId' | 'actor'
>;

/** How long the lease of a notice lasts, ms. When it expires, another process carries out the command. */
const LEASE_MS = 60_000;
/** Accounts written at a time. */
const CHUNK = 500;

/**
 * Ends expired suspensions and carries out the operators' commands (notices): records them, marks accounts as Suspended or makes
 * them due again, and requeues what the kill switch held back. One process carries out each notice; another one continues after a crash.
 * @param until deadline, epoch ms: when it has passed, the next process continues with the remaining accounts and notices
 * @returns the number of notices carried out
 */
export async function settleControls(deps: SettleDeps, until: EpochMs = Number.POSITIVE_INFINITY): Promise<number> {
  const now = deps.clock.now();
  const known = await readControls(deps.registers);
  const over = known.suspensions.some((each) => each.until !== null && each.until <= now);
  if (!over && !known.notices.some(({ claimedUntil }) => claimedUntil <= now)) return 0;
  const leased = await leaseNotices(deps, now);
  for (const [done, notice] of leased.entries()) {
    const appliedTo = await carryOut(deps, notice, until);
    const isOver = appliedTo !== null || deps.clock.now() >= until;
    await storeProgress(deps, { notice, appliedTo, leaseEnds: isOver ? now + LEASE_MS : null });
    if (isOver) return appliedTo === null ? done + 1 : done;
  }
  return leased.length;
}

interface Progress {
  readonly notice: Notice;
  /** The last account that the notice was applied to; `null`: the notice is carried out. */
  readonly appliedTo: AccountId | null;
  /** The leases that end at this time are this process's; it releases them, because its deadline has passed. `null`: it keeps them. */
  readonly leaseEnds: EpochMs | null;
}

async function storeProgress(deps: SettleDeps, { notice, appliedTo, leaseEnds }: Progress): Promise<void> {
  const now = deps.clock.now();
  const released = (each: Notice): Notice =>
    // A later time means that the lease expired and that another process holds it now.
    each.claimedUntil === leaseEnds
      ? { ...each, claimedUntil: now, ...(each.id === notice.id && { appliedTo }) }
      : each;
  await update(deps.registers, CONTROLS, (current) => {
    const controls = current ?? NO_CONTROLS;
    const isLeft = ({ id }: Notice): boolean => appliedTo !== null || id !== notice.id;
    return { ...controls, notices: controls.notices.filter(isLeft).map(released) };
  });
}

async function leaseNotices(deps: SettleDeps, now: number): Promise<readonly Notice[]> {
  // A repeated compare-and-set reuses the ids, because the id of a notice becomes the id of its entry.
  const ids: string[] = [];
  const leased: { notices: readonly Notice[] } = { notices: [] };
  await update(deps.registers, CONTROLS, (current): Controls => {
    let used = 0;
    const newId = (): string => {
      const id = ids[used] ?? deps.newId();
      ids[used] = id;
      used += 1;
      return id;
    };
    const controls = expired(current ?? NO_CONTROLS, now, newId, deps.actor);
    leased.notices = controls.notices.filter(({ claimedUntil }) => claimedUntil <= now);
    const notices = controls.notices.map((notice) =>
      notice.claimedUntil <= now ? { ...notice, claimedUntil: now + LEASE_MS } : notice,
    );
    return { ...controls, notices };
  });
  return leased.notices;
}

/** @returns the last account that the notice was applied to before the deadline; `null`: the notice is carried out */
async function carryOut(deps: SettleDeps, notice: Notice, until: EpochMs): Promise<AccountId | null> {
  // If another process held the lease before, it may have written the entry.
  if (notice.claimedUntil === 0 || !(await isRecorded(deps, notice))) {
    await writeOrganizationEntry(deps, () => organizationNotice(notice));
  }
  switch (notice.type) {
    case 'EnforcementHalted':
      return null;
    case 'EnforcementResumed': {
      if (notice.appliedTo === null) await requeueApprovedCalls(deps);
      const wokenTo = await wakeHalted(deps, notice, until);
      if (wokenTo !== null) return wokenTo;
      await queueNow(deps, until);
      await makeScanDue(deps.registers, { kind: 'resume', actor: notice.by, reason: notice.reason });
      return null;
    }
    case 'AccountSuspended':
    case 'AccountResumed': {
      const { written, recordedTo } = await recordAccounts(deps, notice, until);
      if (recordedTo !== null) return recordedTo;
      // Otherwise the accounts would wait for the next tick.
      if (written > 0 && notice.type === 'AccountResumed') await queueNow(deps, until);
      return null;
    }
  }
}

async function isRecorded({ ledger }: SettleDeps, { id, type, at }: Notice): Promise<boolean> {
  const { entries } = await ledger.query({ type, since: toIso(at) }, { limit: 1_000, order: 'oldestFirst' });
  return entries.some((entry: LedgerEntry) => entry.id === id);
}

function organizationNotice(notice: Notice): EntryDraft {
  const { id, type, at, by, reason } = notice;
  const context = { newId: () => id, now: at, actor: by, runId: null, policyHash: null };
  return organizationEntry(context, type, { reason, detail: detailOf(notice) });
}

function detailOf({ type, message, selector, until }: Notice): Detail {
  const ends = type === 'AccountSuspended' ? { until: until === null ? null : toIso(until) } : {};
  return { message, ...(selector === null ? {} : { selector, ...ends }) };
}

interface Recorded {
  /** Number of accounts with a new entry. */
  readonly written: number;
  /** The last account recorded before the deadline; `null`: all accounts are recorded. */
  readonly recordedTo: AccountId | null;
}

/** Records the new state of each matching account, in the order of their ids. */
async function recordAccounts(deps: SettleDeps, notice: Notice, until: EpochMs): Promise<Recorded> {
  const parsed = parseOperatorSelector(notice.selector ?? '');
  const snapshot = await deps.snapshots.load();
  if (!parsed.ok || snapshot === null) return { written: 0, recordedTo: null };
  const { match } = parsed.selector;
  // An account with unknown tags is left to the worker or scan that reads them.
  const matching = snapshot.accounts
    .filter(({ id }) => !isAppliedTo(notice, id))
    .filter((account) => (match.usesTags && account.tags === null ? false : match.test(account)))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const context = commandContext({ ...deps, actor: notice.by });
  let written = 0;
  for (let at = 0; at < matching.length; at += CHUNK) {
    const chunk = matching.slice(at, at + CHUNK);
    const records = await deps.records.getMany(chunk.map(({ id }) => id));
    const controls = compileControls(await readControls(deps.registers));
    const results = await writeEntries(
      deps,
      chunk.map((account) => ({
        record: records.get(account.id) ?? emptyRecord(account.id),
        decide: (record: AccountRecord) => accountNotice(context, notice, controls, account, record),
      })),
    );
    written += results.filter(({ entries }) => entries.length > 0).length;
    const recordedTo = chunk.at(-1)?.id ?? null;
    if (at + CHUNK < matching.length && deps.clock.now() >= until) return { written, recordedTo };
  }
  return { written, recordedTo: null };
}

function isAppliedTo({ appliedTo }: Notice, id: AccountId): boolean {
  return appliedTo !== null && id <= appliedTo;
}

/** Verdicts that take precedence over Suspended. */
const PRECEDENT: ReadonlySet<string> = new Set(['NotApplicable', 'Unmanaged', 'Suspended']);

function accountNotice(
  context: EntryContext,
  notice: Notice,
  controls: CompiledControls,
  account: OrganizationAccount,
  record: AccountRecord,
): readonly EntryDraft[] {
  const suspension = controls.suspensionOf(account, context.now);
  const facetFor = (condition: Condition): Facet | null => {
    if (notice.type === 'AccountSuspended') {
      return suspension === null || PRECEDENT.has(condition.verdict)
        ? null
        : suspendedFacet(condition, suspension.until);
    }
    // Resuming also ends a contest (shared/domain/account/flapping.ts).
    const held = condition.verdict === 'Suspended' || condition.contested !== undefined;
    return suspension !== null || !held ? null : resumedFacet(condition, context.now);
  };
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  for (const enrollment of ENROLLMENT_IDS) {
    const condition = record.conditions[enrollment];
    // A worker that holds a claim on the enrollment records the result itself, and then reconciles the account again.
    const facet = condition === null || condition.claim !== null || !record.present ? null : facetFor(condition);
    if (facet !== null) facets[enrollment] = facet;
  }
  if (Object.keys(facets).length === 0) return [];
  const { type, reason } = notice;
  return [accountEntry(context, type, account.id, null, { reason, detail: { facets, ...detailOf(notice) } })];
}

function suspendedFacet(condition: Condition, until: number | null): Facet {
  const notBefore = until === null ? null : toIso(until);
  const rest = { verdict: 'Suspended', reason: 'suspendedByOperator', notBefore, deadline: null, attempts: 0 } as const;
  return { ...facetOfCondition(condition), ...rest };
}

/**
 * The account has to be read again; `notBefore` makes it due immediately. Until then, its status follows from the last observation if that complies:
 * scans go on observing suspended accounts. A difference is only recorded when it is read again, with the entries of a drift.
 */
function resumedFacet(condition: Condition, now: number): Facet {
  const judged = complied(condition)
    ? ({ verdict: 'Compliant', reason: null } as const)
    : ({ verdict: 'Unknown', reason: 'resumed' } as const);
  return { ...facetOfCondition(condition), ...judged, notBefore: toIso(now), deadline: null, attempts: 0 };
}

function complied({ status, ruleMode, desired, desiredRuleMode }: Condition): boolean {
  return status !== null && differs({ status: desired, ruleMode: desiredRuleMode }, { status, ruleMode }) === null;
}

/**
 * Enqueues the organization-wide calls of approved runs and their calls for configurations. If the halt refused such a call, its message is gone. A call
 * that has been made is not repeated, because a worker finds nothing left to do. An approval that no call has used yet needs the messages too: a
 * worker may use it for an account before the next scan, and then that scan plans none of these calls.
 */
async function requeueApprovedCalls({ registers, queue, clock }: SettleDeps): Promise<void> {
  const policyHash = await policyInForce(registers);
  if (policyHash === null) return;
  const now = clock.now();
  const runs = new RunStore(registers);
  const open = await openApprovals(registers, policyHash, now);
  // Read after the open ones: an approval that a worker uses between the two reads is then in both lists instead of in neither.
  const used = await usedApprovals(registers, policyHash, now);
  for (const { planHash, usedBy, startedRun } of [...open, ...used]) {
    const runId = usedBy ?? startedRun;
    const run = runId === null ? null : await runs.get(runId);
    // `startedRun` can also be a run that needed no approval. That run is not bound to the plan.
    if (run === null || run.stopped !== null || run.planHash !== planHash) continue;
    const messages = wideCallMessages(run);
    if (messages.length > 0) await queue.send(messages, { lane: 'bulk' });
  }
}

/** Makes keys due that the kill switch held back. @returns the last account made due before the deadline; `null`: all are due */
async function wakeHalted(deps: SettleDeps, notice: Notice, until: EpochMs): Promise<AccountId | null> {
  const now = deps.clock.now();
  for await (const page of deps.records.all()) {
    const held = page.filter(
      ({ accountId, present, conditions }) =>
        present && !isAppliedTo(notice, accountId) && ENROLLMENT_IDS.some((id) => conditions[id]?.reason === 'halted'),
    );
    await snoozeAll(
      deps.records,
      held.map((record) => ({ record, until: now })),
    );
    const last = held.at(-1);
    if (last !== undefined && deps.clock.now() >= until) return last.accountId;
  }
  return null;
}

async function queueNow(deps: SettleDeps, until: EpochMs): Promise<void> {
  const policyHash = await policyInForce(deps.registers);
  if (policyHash !== null) await queueDue(deps, new RunStore(deps.registers), policyHash, { until });
}
