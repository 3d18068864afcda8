import type { Facet } from '../../shared/domain/enrollment/condition.ts';
import {
  EMPTY_CHAIN,
  type EntryDraft,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
  sealEntry,
} from '../../shared/domain/ledger/entry.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';

/*
 * A ledger of several years. Every account joins, then drifts and is remediated repeatedly. The accounts take turns, so the entries of one
 * account are as far apart as in production.
 */

export interface LedgerSize {
  readonly accounts: number;
  /** Entries per account: one for joining, then groups of four: detected, started, succeeded, resolved. */
  readonly entriesPerAccount: number;
}

const START = Date.UTC(2025, 0, 1);
const DAY_MS = 86_400_000;
const CYCLE_DAYS = 14;
const PER_CYCLE = 4;
const APPENDED_AT_ONCE = 2_000;

export const benchAccount = (n: number): string => String(100_000_000_000 + n * 7);

const FACET: Facet = {
  ...{ verdict: 'Compliant', reason: null, status: 'Active', ruleMode: null, lastUpdated: '2025-01-01T00:00:00.000Z' },
  ...{ desired: 'Active', desiredRuleMode: null, notBefore: null, deadline: null, attempts: 0 },
};
const UNMANAGED: Facet = {
  ...FACET,
  verdict: 'Unmanaged',
  reason: 'policySaysNothing',
  status: 'Inactive',
  desired: null,
};
const DRIFTED: Facet = { ...FACET, verdict: 'Drifted', reason: 'statusDiffers', status: 'Inactive' };
const CONVERGING: Facet = { ...DRIFTED, verdict: 'Converging', reason: 'acted', deadline: '2026-01-01T00:00:00.000Z' };

/** The four steps of a drift, each with the state before it. */
const STEPS: readonly Pick<EntryDraft, 'type' | 'before' | 'after'>[] = [
  { type: 'DriftDetected', before: FACET, after: DRIFTED },
  { type: 'RemediationStarted', before: DRIFTED, after: DRIFTED },
  { type: 'RemediationSucceeded', before: DRIFTED, after: CONVERGING },
  { type: 'DriftResolved', before: CONVERGING, after: FACET },
];

/** @returns the number of entries, and the time of the last one (epoch ms). */
export async function fillLedger(
  ledger: Ledger,
  size: LedgerSize,
): Promise<{ readonly entries: number; readonly lastAt: number }> {
  const heads = new Map<string, LedgerEntry>();
  let pending: LedgerEntry[] = [];
  let entries = 0;
  let lastAt = START;
  const add = async (draft: EntryDraft): Promise<void> => {
    const last = heads.get(draft.chain);
    const entry = sealEntry(draft, last === undefined ? EMPTY_CHAIN : headOf(last));
    heads.set(draft.chain, entry);
    pending.push(entry);
    entries += 1;
    lastAt = Math.max(lastAt, Date.parse(draft.at));
    if (pending.length >= APPENDED_AT_ONCE) await flush();
  };
  const flush = async (): Promise<void> => {
    const outcomes = await ledger.append(pending);
    if (outcomes.some((outcome) => outcome !== 'appended')) throw new Error('an entry of the bench was refused');
    pending = [];
  };
  for (let n = 0; n < size.accounts; n += 1) await add(joinedDraft(n));
  const cycles = Math.ceil((size.entriesPerAccount - 1) / PER_CYCLE);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    await add(scanDraft(cycle));
    for (let n = 0; n < size.accounts; n += 1) {
      for (const [step, parts] of STEPS.entries()) {
        if (1 + cycle * PER_CYCLE + step >= size.entriesPerAccount) break;
        await add(stepDraft(n, cycle, step, parts));
      }
    }
  }
  await flush();
  return { entries, lastAt };
}

function base(chain: string, id: string, at: number): EntryDraft {
  return {
    ...{ id, chain, at: new Date(at).toISOString(), type: 'ScanStarted', accountId: null, enrollment: null },
    ...{
      runId: `run-${new Date(at).toISOString().slice(0, 10)}`,
      actor: 'arn:aws:sts::111111111111:assumed-role/Rollcall/worker',
    },
    ...{ before: null, after: null, reason: null, rule: null, policyHash: 'a'.repeat(64), api: null, detail: null },
  };
}

function scanDraft(cycle: number): EntryDraft {
  return base(ORGANIZATION_CHAIN, `scan-${cycle}`, START + cycle * CYCLE_DAYS * DAY_MS);
}

function joinedDraft(n: number): EntryDraft {
  const chain = benchAccount(n);
  const account = { name: `account ${n}`, ou: `/Workloads/Team ${n % 40}`, state: 'ACTIVE' };
  const detail = { account, facets: { computeOptimizer: FACET, automation: UNMANAGED } };
  return { ...base(chain, `${chain}-joined`, START + n * 10), type: 'AccountJoined', accountId: chain, detail };
}

function stepDraft(n: number, cycle: number, step: number, parts: (typeof STEPS)[number]): EntryDraft {
  const chain = benchAccount(n);
  // Spread over the fortnight, so that at any time there are accounts at every step.
  const at =
    START +
    cycle * CYCLE_DAYS * DAY_MS +
    (((n * 7919) % 10_000) / 10_000) * (CYCLE_DAYS - 1) * DAY_MS +
    step * 45_000 +
    DAY_MS / 2;
  const id = `${chain}-${cycle}-${step}`;
  const api = step === 2 ? { operation: 'UpdateEnrollmentStatus', requestId: `req-${id}`, clientToken: null } : null;
  const detail = {
    message: 'Compute Optimizer is Inactive there, and the policy wants it Active',
    scope: 'member',
    optOut: false,
  };
  return {
    ...{ ...base(chain, id, at), ...parts, accountId: chain, enrollment: 'computeOptimizer' },
    ...{ reason: parts.after?.reason ?? null, rule: 'production', api, detail },
  };
}
