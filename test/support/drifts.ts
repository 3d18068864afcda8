import type { Facet } from '../../shared/domain/enrollment/condition.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { isDrift } from '../../shared/domain/enrollment/verdict.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';

/** Derives the drift of one enrollment from the entries of its chain, independently of the product's fold. */
export interface DriftRead {
  /** The number of the `DriftDetected` whose drift is neither resolved nor superseded; `null`: none. */
  readonly open: number | null;
  /** The open drift is recorded as waiting or as needing attention: blocked, stalled or given up. Invariant 1 allows that. */
  readonly settled: boolean;
  /** Entries about an account of the organization that record a drift without a `DriftDetected`. */
  readonly undetected: readonly string[];
}

const ENDED: ReadonlySet<string> = new Set(['Compliant', 'NotApplicable', 'Unmanaged', 'Exempt', 'Suspended']);

export function readDrift(entries: readonly LedgerEntry[], enrollment: EnrollmentId): DriftRead {
  const undetected: string[] = [];
  let open: number | null = null;
  let settled = false;
  let present = true;
  for (const entry of entries) {
    if (entry.type === 'AccountJoined') present = true;
    if (entry.type === 'AccountLeft') [present, open] = [false, null];
    const facet = facetOf(entry, enrollment);
    if (facet === null) continue;
    if (entry.type === 'DriftDetected') open ??= entry.seq;
    if (ENDED.has(facet.verdict)) open = null;
    if (present && open === null && isDrift(facet.verdict)) undetected.push(`entry ${entry.seq} (${entry.type})`);
    // Unknown changes nothing.
    if (facet.verdict !== 'Unknown') settled = isSettled(facet);
  }
  return { open, settled, undetected };
}

function facetOf({ enrollment: about, after, detail }: LedgerEntry, enrollment: EnrollmentId): Facet | null {
  return about === enrollment ? after : (detail?.facets?.[enrollment] ?? null);
}

function isSettled({ verdict, reason }: Facet): boolean {
  return verdict === 'Blocked' || verdict === 'Stalled' || (verdict === 'Drifted' && reason === 'deadLettered');
}
