import type * as z from 'zod';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Status as StatusWord } from '../../domain/enrollment/status.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import { type LedgerEntry, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Stores } from '../context.ts';
import { organizationOf } from '../coordination/organization-binding.ts';
import { rolloutView } from '../guardrails/rollout-gate.ts';
import { overdueEntries } from '../notifications/outbox-state.ts';
import { bucketRates } from '../rate-limiter/rate-limiter.ts';
import { knownTrustedAccess } from '../scan/trusted-access.ts';
import { scanUnderWay } from '../schedule/scan-under-way.ts';
import type { Summary } from '../survey/assessment-table.ts';
import { AccountCounter, complianceIn } from './account-counts.ts';
import type { openReason, statusSchema } from './answers/status.ts';
import { ConfigurationList } from './configuration-list.ts';
import { approvalViews, controlsNow, haltView, suspensionViews, windowView } from './enforcement-view.ts';
import { nextScan } from './next-scan.ts';
import { DriftCounter } from './open-drift.ts';
import { fullStatuses } from './plan-document.ts';
import { shownOfRecord } from './shown-record.ts';

/** `summary` may omit verdicts that no account has. */
export type Status = Omit<z.infer<typeof statusSchema>, 'summary'> & { readonly summary: Summary };
type OpenReason = z.infer<typeof openReason>;
type CountedReason = Omit<OpenReason, 'examples'> & { readonly examples: string[] };

export interface StatusOptions {
  readonly policy?: CompiledPolicy | null;
  /** Epoch ms, to leave out expired suspensions; default: suspensions that have just expired may still be listed. */
  readonly now?: number;
  /** The event bus that entries are published on, as `busOf` says (default `null`: none). */
  readonly bus?: string | null;
}

const OPEN: ReadonlySet<Verdict> = new Set(['Unknown', 'Blocked', 'Converging', 'Stalled', 'Drifted', 'Suspended']);
const EXAMPLES = 3;

export async function status(stores: Stores, options: StatusOptions = {}): Promise<Status> {
  const { policy = null, now = 0, bus = null } = options;
  const { summary, statuses, accounts, reasons, drift, configurations } = await countEnrollments(stores);
  const scanned = await lastScan(stores);
  return {
    organizationId: await organizationOf(stores),
    summary,
    statuses: fullStatuses(statuses),
    accounts: accounts.counts,
    compliance: complianceIn(summary),
    lastScan: scanned,
    scanning: await scanUnderWay({ registers: stores.registers, clock: { now: () => now } }),
    guardrail: await trippedSince(stores, scanned.completedAt),
    queue: await stores.queue.depth(),
    limiter: await bucketRates(stores.registers),
    open: [...reasons.values()].sort((a, b) => b.accounts - a.accounts),
    openDrift: drift.drift,
    attention: await drift.attention(stores.snapshots),
    configurations: await configurations.rows(stores, policy, now),
    trustedAccess: await knownTrustedAccess(stores.registers),
    rollout: await rolloutView(stores.registers),
    nextScan: await nextScan(stores.registers, policy, now),
    ...windowStatus(policy, now),
    ...(await controlsStatus(stores, now)),
    approvals: await approvalViews(stores.registers, now),
    outbox: bus === null ? null : await overdueEntries(stores, now),
  };
}

async function countEnrollments({ records }: Pick<Stores, 'records'>) {
  const summary: Summary = byKind(() => ({}));
  const statuses = byKind((): Partial<Record<StatusWord, number>> => ({}));
  const reasons = new Map<string, CountedReason>();
  const configurations = new ConfigurationList();
  const drift = new DriftCounter();
  const accounts = new AccountCounter();
  for await (const page of records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      configurations.add(record);
      const shown = shownOfRecord(record);
      drift.add(record, shown);
      accounts.add(record, shown);
      for (const enrollment of ENROLLMENT_IDS) {
        const condition = record.conditions[enrollment];
        const words = shown[enrollment];
        if (condition === null || words === null) continue;
        summary[enrollment][condition.verdict] = (summary[enrollment][condition.verdict] ?? 0) + 1;
        statuses[enrollment][words.status] = (statuses[enrollment][words.status] ?? 0) + 1;
        if (OPEN.has(condition.verdict)) countReason(reasons, { enrollment, condition, words }, record.accountId);
      }
    }
  }
  return { summary, statuses, accounts, reasons, drift, configurations };
}

function windowStatus(policy: CompiledPolicy | null, now: number): Pick<Status, 'window' | 'nextWindow'> {
  const window = windowView(policy, now);
  return { window, nextWindow: window?.opensAt ?? null };
}

async function controlsStatus(
  { registers, snapshots }: Stores,
  now: number,
): Promise<Pick<Status, 'halted' | 'suspensions'>> {
  const controls = await controlsNow(registers);
  const suspended = controls.inForce(now).length > 0;
  return {
    halted: haltView(controls),
    suspensions: suspensionViews(controls, suspended ? await snapshots.load() : null, now),
  };
}

interface Open {
  readonly enrollment: EnrollmentId;
  readonly condition: Condition;
  readonly words: Pick<OpenReason, 'status' | 'message'>;
}

function countReason(reasons: Map<string, CountedReason>, open: Open, accountId: string): void {
  const { enrollment, words, condition } = open;
  const { verdict, reason, notBefore } = condition;
  const { status, message } = words;
  const key = `${enrollment} ${verdict} ${reason} ${status}`;
  let known = reasons.get(key);
  if (known === undefined) {
    known = { enrollment, verdict, reason, status, message, accounts: 0, examples: [], notBefore };
    reasons.set(key, known);
  }
  known.accounts += 1;
  if (known.examples.length < EXAMPLES) known.examples.push(accountId);
  if (notBefore !== null && (known.notBefore === null || notBefore < known.notBefore)) known.notBefore = notBefore;
}

async function lastScan(stores: Stores): Promise<Status['lastScan']> {
  const find = async (type: 'ScanStarted' | 'ScanCompleted'): Promise<LedgerEntry | null> => {
    const { entries } = await stores.ledger.query({ type }, { limit: 1 });
    return entries.find((entry) => entry.chain === ORGANIZATION_CHAIN) ?? null;
  };
  const [started, completed] = await Promise.all([find('ScanStarted'), find('ScanCompleted')]);
  return {
    runId: completed?.runId ?? started?.runId ?? null,
    startedAt: started?.at ?? null,
    completedAt: completed?.at ?? null,
  };
}

/** The guardrail that stopped the last scan's run. Its entry follows the one for the end of the scan, at `since`. */
async function trippedSince(stores: Stores, since: string | null): Promise<Status['guardrail']> {
  if (since === null) return null;
  const { entries } = await stores.ledger.query({ type: 'GuardrailTripped', since }, { limit: 1 });
  const [entry] = entries;
  if (entry === undefined) return null;
  const { at, reason, detail } = entry;
  return { at, reason, message: detail?.message ?? null, planHash: detail?.planHash ?? null };
}
