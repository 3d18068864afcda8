import { type LedgerEntry, ORGANIZATION_CHAIN } from '../domain/ledger.ts';
import type { Condition } from '../domain/record.ts';
import { ENROLLMENTS, type Enrollment } from '../domain/types.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { QueueDepth } from '../ports/queue.ts';
import type { Stores } from './deps.ts';
import type { Summary } from './desk.ts';
import { bucketRates } from './limiter.ts';
import { type RolloutView, rolloutView } from './rollout-state.ts';
import { knownTrustedAccess, type TrustedAccess } from './trusted-access.ts';

/** What is known without asking AWS. The shape of `status --json`. */
export interface Status {
  readonly summary: Summary;
  readonly lastScan: {
    readonly runId: string | null;
    readonly startedAt: string | null;
    readonly completedAt: string | null;
  };
  readonly queue: QueueDepth;
  /** Calls a second now, by `service:Operation`. */
  readonly limiter: Readonly<Record<string, number>>;
  /** Why accounts are not as they should be, most frequent first. */
  readonly open: readonly OpenReason[];
  /** Whether the organization trusted Compute Optimizer when AWS was last asked, and since when; `null`: not asked yet. */
  readonly trustedAccess: TrustedAccess | null;
  /** When enforcement may act next; `null`: it may act now. Windows are not built yet. */
  readonly nextWindow: string | null;
  /** The gate of a policy's first run, while it is closed. */
  readonly rollout: RolloutView | null;
}

export interface OpenReason {
  readonly enrollment: Enrollment;
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly accounts: number;
  /** Some of them. */
  readonly examples: readonly string[];
  /** The earliest time at which one of them is looked at again. */
  readonly notBefore: string | null;
}

const OPEN: ReadonlySet<Verdict> = new Set(['Unknown', 'Blocked', 'Converging', 'Stalled', 'Drifted', 'Suspended']);
const EXAMPLES = 3;

export async function status(stores: Stores): Promise<Status> {
  const summary: Summary = { computeOptimizer: {}, automation: {} };
  const reasons = new Map<string, OpenReason>();
  for await (const page of stores.records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      for (const enrollment of ENROLLMENTS) {
        const condition = record[enrollment];
        if (condition === null) continue;
        summary[enrollment][condition.verdict] = (summary[enrollment][condition.verdict] ?? 0) + 1;
        if (OPEN.has(condition.verdict)) countReason(reasons, enrollment, record.accountId, condition);
      }
    }
  }
  return {
    summary,
    lastScan: await lastScan(stores),
    queue: await stores.queue.depth(),
    limiter: await bucketRates(stores.registers),
    open: [...reasons.values()].sort((a, b) => b.accounts - a.accounts),
    trustedAccess: await knownTrustedAccess(stores.registers),
    rollout: await rolloutView(stores.registers),
    nextWindow: null,
  };
}

function countReason(
  reasons: Map<string, OpenReason>,
  enrollment: Enrollment,
  accountId: string,
  { verdict, reason, notBefore }: Condition,
): void {
  const key = `${enrollment} ${verdict} ${reason}`;
  const known = reasons.get(key) ?? { enrollment, verdict, reason, accounts: 0, examples: [], notBefore };
  const earliest = notBefore !== null && (known.notBefore === null || notBefore < known.notBefore);
  reasons.set(key, {
    ...known,
    accounts: known.accounts + 1,
    examples: known.examples.length < EXAMPLES ? [...known.examples, accountId] : known.examples,
    notBefore: earliest ? notBefore : known.notBefore,
  });
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
