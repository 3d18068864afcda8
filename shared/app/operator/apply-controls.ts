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
import { type EntryDraft, type LedgerEntry, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import { type OrganizationAccount, parseOperatorSelector } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { RunStore } from '../coordination/run-store.ts';
import { update } from '../coordination/typed-register.ts';
import { CONTROLS, readControls } from '../guardrails/controls.ts';
import { LedgerWriter } from '../ledger/ledger-writer.ts';
import { commandContext } from '../ledger/organization-entry.ts';
import { makeScanDue } from '../schedule/scan-schedule.ts';
import { queueDue } from '../work-queue/requeue-due.ts';

export type SettleDeps = Pick<
  Deps,
  'ledger' | 'records' | 'registers' | 'snapshots' | 'queue' | 'clock' | 'newId' | 'actor'
>;

/** Whoever tells a notice has this long; then somebody else does, ms. */
const CLAIM_MS = 60_000;
/** Accounts written at a time. */
const CHUNK = 500;

/**
 * Carries out what follows from what operators have set: ends suspensions that have run out, tells the ledger who did what, shows accounts
 * as Suspended or lets them be looked at again, and wakes what the kill switch has held back. Idempotent, and safe to run in any number
 * of processes: a notice is told by one, and what a crash leaves is taken up by the next.
 * @returns how many notices were told.
 */
export async function settleControls(deps: SettleDeps): Promise<number> {
  const now = deps.clock.now();
  const known = await readControls(deps.registers);
  const over = known.suspensions.some(({ until }) => until !== null && until <= now);
  if (!over && !known.notices.some(({ claimedUntil }) => claimedUntil <= now)) return 0;
  const mine = await claimNotices(deps, now);
  for (const notice of mine) {
    await tell(deps, notice);
    await update(deps.registers, CONTROLS, (current) => {
      const controls = current ?? NO_CONTROLS;
      return { ...controls, notices: controls.notices.filter(({ id }) => id !== notice.id) };
    });
  }
  return mine.length;
}

async function claimNotices(deps: SettleDeps, now: number): Promise<readonly Notice[]> {
  // The id of a notice is that of its entry: made once, so that a compare-and-set that is repeated says the same.
  const ids: string[] = [];
  const claimed: { notices: readonly Notice[] } = { notices: [] };
  await update(deps.registers, CONTROLS, (current): Controls => {
    let used = 0;
    const newId = (): string => {
      const id = ids[used] ?? deps.newId();
      ids[used] = id;
      used += 1;
      return id;
    };
    const controls = expired(current ?? NO_CONTROLS, now, newId, deps.actor);
    claimed.notices = controls.notices.filter(({ claimedUntil }) => claimedUntil <= now);
    const notices = controls.notices.map((notice) =>
      notice.claimedUntil <= now ? { ...notice, claimedUntil: now + CLAIM_MS } : notice,
    );
    return { ...controls, notices };
  });
  return claimed.notices;
}

async function tell(deps: SettleDeps, notice: Notice): Promise<void> {
  const journal = new LedgerWriter(deps);
  // Claimed once before: whoever had it may have come as far as the ledger.
  if (notice.claimedUntil === 0 || !(await isTold(deps, notice))) {
    await journal.organization(() => organizationNotice(notice));
  }
  switch (notice.type) {
    case 'EnforcementHalted':
      return;
    case 'EnforcementResumed':
      await wakeHalted(deps);
      return makeScanDue(deps.registers);
    case 'AccountSuspended':
    case 'AccountResumed': {
      const accounts = await showAccounts(deps, journal, notice);
      // At once, not when somebody next looks for what is due.
      if (accounts > 0 && notice.type === 'AccountResumed') await queueNow(deps);
    }
  }
}

async function isTold({ ledger }: SettleDeps, { id, type, at }: Notice): Promise<boolean> {
  const { entries } = await ledger.query({ type, since: toIso(at) }, { limit: 1_000, order: 'oldestFirst' });
  return entries.some((entry: LedgerEntry) => entry.id === id);
}

function organizationNotice({ id, type, at, by, reason, message, selector, until }: Notice): EntryDraft {
  const ends = type === 'AccountSuspended' ? { until: until === null ? null : toIso(until) } : {};
  return {
    ...{
      id,
      chain: ORGANIZATION_CHAIN,
      at: toIso(at),
      type,
      accountId: null,
      enrollment: null,
      runId: null,
      actor: by,
    },
    ...{ before: null, after: null, reason, rule: null, policyHash: null, api: null },
    detail: { message, ...(selector === null ? {} : { selector, ...ends }) },
  };
}

/** Writes for each account that the notice is about what it is from now on. @returns for how many there was something to write. */
async function showAccounts(deps: SettleDeps, journal: LedgerWriter, notice: Notice): Promise<number> {
  const parsed = parseOperatorSelector(notice.selector ?? '');
  const snapshot = await deps.snapshots.load();
  if (!parsed.ok || snapshot === null) return 0;
  const { match } = parsed.selector;
  // Without its tags an account may be meant; a worker or a scan that reads them says so.
  const meant = snapshot.accounts.filter((facts) =>
    match.usesTags && facts.tags === null ? false : match.test(facts),
  );
  const context = commandContext({ ...deps, actor: notice.by });
  let written = 0;
  for (let at = 0; at < meant.length; at += CHUNK) {
    const chunk = meant.slice(at, at + CHUNK);
    const records = await deps.records.getMany(chunk.map(({ id }) => id));
    const controls = compileControls(await readControls(deps.registers));
    const results = await journal.writeMany(
      chunk.map((facts) => ({
        record: records.get(facts.id) ?? emptyRecord(facts.id),
        decide: (record: AccountRecord) => accountNotice(context, notice, controls, facts, record),
      })),
    );
    written += results.filter(({ entries }) => entries.length > 0).length;
  }
  return written;
}

/** Verdicts that stand before Suspended. */
const BEFORE: ReadonlySet<string> = new Set(['NotApplicable', 'Unmanaged', 'Suspended']);

function accountNotice(
  context: EntryContext,
  notice: Notice,
  controls: CompiledControls,
  facts: OrganizationAccount,
  record: AccountRecord,
): readonly EntryDraft[] {
  const suspension = controls.suspensionOf(facts, context.now);
  const facetFor = (condition: Condition): Facet | null => {
    if (notice.type === 'AccountSuspended') {
      return suspension === null || BEFORE.has(condition.verdict) ? null : suspendedFacet(condition, suspension.until);
    }
    // A contested account waits for exactly this; the entry ends it (shared/domain/account/flapping.ts).
    const held = condition.verdict === 'Suspended' || condition.contested !== undefined;
    return suspension !== null || !held ? null : resumedFacet(condition, context.now);
  };
  const facets: Partial<Record<EnrollmentId, Facet>> = {};
  for (const enrollment of ENROLLMENT_IDS) {
    const condition = record.conditions[enrollment];
    // A claim is its holder's to close; who holds it looks again right after.
    const facet = condition === null || condition.claim !== null || !record.present ? null : facetFor(condition);
    if (facet !== null) facets[enrollment] = facet;
  }
  if (Object.keys(facets).length === 0) return [];
  const { type, reason, message, selector, until } = notice;
  const ends = type === 'AccountSuspended' ? { until: until === null ? null : toIso(until) } : {};
  const detail = { facets, message, ...(selector === null ? {} : { selector, ...ends }) };
  return [accountEntry(context, type, facts.id, null, { reason, detail })];
}

function suspendedFacet(condition: Condition, until: number | null): Facet {
  const notBefore = until === null ? null : toIso(until);
  const rest = { verdict: 'Suspended', reason: 'suspendedByOperator', notBefore, deadline: null, attempts: 0 } as const;
  return { ...facetOfCondition(condition), ...rest };
}

/** What it is now only a look at it can tell; the tick sees to that at once. */
function resumedFacet(condition: Condition, now: number): Facet {
  const rest = { verdict: 'Unknown', reason: 'resumed', notBefore: toIso(now), deadline: null, attempts: 0 } as const;
  return { ...facetOfCondition(condition), ...rest };
}

/** Makes due what the kill switch has held back, and queues it. */
async function wakeHalted(deps: SettleDeps): Promise<void> {
  const now = deps.clock.now();
  for await (const page of deps.records.all()) {
    for (const record of page) {
      const held = ENROLLMENT_IDS.some((enrollment) => record.conditions[enrollment]?.reason === 'halted');
      if (held && record.present) await deps.records.snooze(record.accountId, record.head.seq, now);
    }
  }
  await queueNow(deps);
}

async function queueNow(deps: SettleDeps): Promise<void> {
  const policyHash = await policyInForce(deps.registers);
  if (policyHash !== null) await queueDue(deps, new RunStore(deps.registers), policyHash);
}
