import type { Facet } from '../enrollment/condition.ts';
import { reasonText } from '../enrollment/reason-codes.ts';
import type { LedgerEntry } from './entry.ts';

/*
 * The changes in a sequence of entries, for auditors: those that Rollcall made, and those that others made and Rollcall observed.
 *
 *   RemediationStarted ─▶ RemediationSucceeded ─▶ observed as Compliant: Confirmed
 *          │                       └────────────▶ ConvergenceStalled: Not confirmed in time
 *          └────────────▶ RemediationFailed or RemediationBlocked
 */

type Kind = 'Change by Rollcall' | 'Drift' | 'Organization configuration';

/** One change. Times are ISO 8601; `null`: not recorded among these entries. */
export interface Change {
  readonly kind: Kind;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** The account, or the root or OU of a configuration. */
  readonly target: string;
  readonly enrollment: string | null;
  readonly actor: string;
  readonly reason: string | null;
  readonly rule: string | null;
  readonly before: string | null;
  /** What Rollcall asked for; `null`: it is not a change by Rollcall. */
  readonly requested: string | null;
  /** The state that was observed afterwards. */
  readonly after: string | null;
  readonly outcome: string;
  readonly operation: string | null;
  readonly requestId: string | null;
  readonly runId: string | null;
  readonly policyHash: string | null;
  /** The entry that began the change, or the first one about it. */
  readonly entryId: string;
}

const OPEN = 'No outcome is recorded in this period';
const UNCONFIRMED = 'Accepted by AWS; not confirmed in this period';

/** Finds changes in a stream of entries, in the order in which they were written. Only changes that have not ended are in memory. */
export class ChangeFinder {
  readonly #open = new Map<string, Change>();

  /** @returns the changes that end with this entry */
  take(entry: LedgerEntry): readonly Change[] {
    if (entry.type === 'DriftDetected') return [...this.#close(keyOf(entry), UNCONFIRMED), driftOf(entry)];
    if (entry.type === 'RemediationStarted' || entry.type === 'ConfigurationStarted') {
      const replaced = this.#close(keyOf(entry), OPEN);
      this.#open.set(keyOf(entry), begun(entry));
      return replaced;
    }
    if (entry.type === 'ConfigurationEnded') return this.#end(entry, entry.detail?.message ?? 'Accepted by AWS');
    if (entry.detail?.intentId !== undefined) return this.#outcome(entry);
    return this.#observed(entry);
  }

  /** @returns the changes that have not ended, oldest first */
  end(): readonly Change[] {
    const left = [...this.#open.values()];
    this.#open.clear();
    return left;
  }

  #outcome(entry: LedgerEntry): readonly Change[] {
    if (entry.type !== 'RemediationSucceeded') return this.#end(entry, failureOf(entry));
    const open = this.#open.get(keyOf(entry));
    const known = this.#knownTo(entry);
    const requestId = entry.api?.requestId ?? known.requestId;
    this.#open.set(keyOf(entry), { ...known, requestId, outcome: UNCONFIRMED, endedAt: entry.at });
    return open === undefined || open === known ? [] : [open];
  }

  #observed(entry: LedgerEntry): readonly Change[] {
    const known = this.#open.get(keyOf(entry));
    if (known?.outcome !== UNCONFIRMED) return [];
    if (entry.type === 'ConvergenceStalled') return this.#end(entry, 'Not confirmed in time');
    return entry.after?.verdict === 'Compliant' ? this.#end(entry, 'Confirmed') : [];
  }

  #end(entry: LedgerEntry, outcome: string): readonly Change[] {
    const known = this.#knownTo(entry);
    this.#open.delete(keyOf(entry));
    const requestId = entry.api?.requestId ?? known.requestId;
    return [{ ...known, requestId, outcome, endedAt: entry.at, after: stateOf(entry.after) }];
  }

  /** The change that the entry is about, which may have begun before these entries. */
  #knownTo(entry: LedgerEntry): Change {
    const open = this.#open.get(keyOf(entry));
    const intentId = entry.detail?.intentId;
    return open !== undefined && (intentId === undefined || intentId === open.entryId) ? open : before(entry);
  }

  #close(key: string, outcome: string): readonly Change[] {
    const known = this.#open.get(key);
    this.#open.delete(key);
    return known === undefined ? [] : [{ ...known, outcome: known.outcome === OPEN ? OPEN : outcome }];
  }
}

function keyOf({ chain, enrollment, detail }: LedgerEntry): string {
  return `${chain} ${enrollment ?? ''} ${detail?.configuration?.targetId ?? ''}`;
}

function common({ id, chain, enrollment, actor, reason, rule, api, runId, policyHash, detail }: LedgerEntry) {
  return {
    target: detail?.configuration?.targetId ?? chain,
    enrollment,
    actor,
    reason: reasonText(reason),
    rule,
    runId,
    policyHash,
    entryId: id,
    operation: api?.operation ?? null,
    requestId: api?.requestId ?? null,
  };
}

function begun(entry: LedgerEntry): Change {
  const { type, at, before: from, detail } = entry;
  const ofOrganization = type === 'ConfigurationStarted';
  return {
    ...common(entry),
    kind: ofOrganization ? 'Organization configuration' : 'Change by Rollcall',
    startedAt: at,
    endedAt: null,
    before: stateOf(from),
    requested: ofOrganization ? (detail?.configuration?.ruleMode ?? 'deleted') : targetOf(entry),
    after: null,
    outcome: OPEN,
  };
}

/** A change whose outcome alone is among these entries. */
function before(entry: LedgerEntry): Change {
  const { type, detail } = entry;
  const kind = type === 'ConfigurationEnded' ? 'Organization configuration' : 'Change by Rollcall';
  const entryId = detail?.intentId ?? entry.id;
  return { ...begun(entry), kind, startedAt: null, entryId, requested: entry.after?.desired ?? null };
}

function driftOf(entry: LedgerEntry): Change {
  const { at, before: from, after, detail } = entry;
  const by = detail?.changedBy;
  const desired = targetOf(entry);
  return {
    ...common(entry),
    kind: 'Drift',
    startedAt: by?.at ?? null,
    endedAt: at,
    actor: by?.actor ?? 'unknown',
    operation: by?.operation ?? null,
    requestId: by?.requestId ?? null,
    before: stateOf(from),
    requested: null,
    after: stateOf(after),
    // The state is the same before and after if the policy has changed, so the desired one is what explains the drift.
    outcome: desired === null ? 'Detected' : `Detected; policy: ${desired}`,
  };
}

function targetOf({ after, detail }: LedgerEntry): string | null {
  const { target = after?.desired ?? null } = detail ?? {};
  return stateText(target, after?.desiredRuleMode ?? null);
}

function failureOf({ type, detail }: LedgerEntry): string {
  const result = type === 'RemediationBlocked' ? 'Blocked' : 'Failed';
  const { error, message } = detail ?? {};
  const why = error === undefined ? message : `${error.code}: ${error.message}`;
  return why === undefined ? result : `${result}: ${why}`;
}

function stateOf(facet: Facet | null): string | null {
  return facet === null ? null : stateText(facet.status, facet.ruleMode);
}

function stateText(status: string | null, ruleMode: string | null): string | null {
  const parts = [status, ruleMode].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}
