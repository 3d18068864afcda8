import * as z from 'zod';
import { complianceOf } from '../../../domain/account/compliance.ts';
import { byKind } from '../../../domain/enrollment/kinds/index.ts';
import { STATUSES, shownOf, statusOf } from '../../../domain/enrollment/status.ts';
import { toIso } from '../../../domain/time.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import type { SnapshotStore } from '../../../ports/snapshot-store.ts';
import { entriesOf, OLDEST_FIRST } from './all-entries.ts';
import { auditAsOf } from './as-of.ts';
import { type Held, Standings } from './compliance-history.ts';

const compliance = z.object({ managed: z.number(), compliant: z.number(), percent: z.number().nullable() });
const spread = z.object({
  count: z.number(),
  meanMs: z.number().nullable(),
  medianMs: z.number().nullable(),
  p95Ms: z.number().nullable(),
  maxMs: z.number().nullable(),
});
const byEnrollment = z.object(byKind(() => compliance));
const group = compliance.extend({ openDrifts: z.number() });

/** The shape of `audit report --json`. */
export const reportSchema = z.object({
  since: z.string(),
  until: z.string(),
  intervalMs: z.number(),
  /** At the end of the period. */
  now: z.object({
    compliance: byEnrollment,
    /** Open drifts, by how long they have been open. */
    openDrifts: spread,
  }),
  /** At `since`, then after each interval, and at `until`. */
  points: z.array(
    z.object({
      at: z.string(),
      compliance: byEnrollment,
      openDrifts: z.number(),
      detected: z.number(),
      resolved: z.number(),
    }),
  ),
  /** In the period: drifts that were detected, drifts that were resolved, and how long these lasted (mean: MTTR). */
  drifts: z.object({ detected: z.number(), resolved: z.number(), timeToResolve: spread }),
  topDrifters: z.array(z.object({ accountId: z.string(), name: z.string().nullable(), drifts: z.number() })),
  /** Why enrollments do not comply at the end. */
  topReasons: z.array(
    z.object({
      ...{ verdict: z.string(), reason: z.string().nullable(), enrollments: z.number() },
      ...{ status: z.enum(STATUSES), message: z.string().nullable() },
    }),
  ),
  /** By the OUs of the last snapshot of the organization; `null`: accounts that are not in it. */
  byOu: z.array(group.extend({ ou: z.string().nullable() })),
  /** By deciding rule; `null`: not recorded in the ledger. */
  byRule: z.array(group.extend({ rule: z.string().nullable() })),
  /** Accounts left out, because their state at `since` has been pruned. */
  pruned: z.number(),
});
export type Report = z.infer<typeof reportSchema>;
type Point = Report['points'][number];

export interface ReportQuery {
  /** ISO 8601, inclusive. */
  readonly since: string;
  /** ISO 8601, exclusive. */
  readonly until: string;
  readonly intervalMs: number;
  /** Maximum length of `topDrifters` and of `topReasons`. */
  readonly top: number;
}

/** Maximum number of points, more than a chart needs. Each point counts every account. */
const MAX_POINTS = 1_000;

export class ReportRangeError extends RangeError {
  override readonly name = 'ReportRangeError';
}

/**
 * Compliance over a period: starts from the state at its beginning and reads every later entry once.
 * @param turn called before each point is computed; returns when the thread has time for it, so that other requests are not delayed
 * @throws ReportRangeError for an empty period, and for more than {@link MAX_POINTS} points
 */
export async function auditReport(
  { ledger, snapshots }: { readonly ledger: Ledger; readonly snapshots: Pick<SnapshotStore, 'load'> },
  query: ReportQuery,
  turn: () => Promise<void> = async () => undefined,
): Promise<Report> {
  const since = Date.parse(query.since);
  const until = Date.parse(query.until);
  const { intervalMs } = query;
  assertRange(since, until, intervalMs);
  const start = await auditAsOf(ledger, query.since);
  const standings = new Standings(start.accounts);
  await standings.findOpenDrifts(ledger, start.at);
  const points: Point[] = [];
  let next = since;
  const pass = async (to: number): Promise<void> => {
    for (; next <= to && next < until; next += intervalMs) {
      await turn();
      points.push(pointAt(next, standings));
    }
  };
  const filter = { since: toIso(since + 1), until: toIso(until) };
  for await (const entry of entriesOf(ledger, filter, OLDEST_FIRST)) {
    // A point includes the entries of its own time, so only earlier points are computed here. The last point is at `until`, which is exclusive.
    await pass(Date.parse(entry.at) - 1);
    standings.take(entry);
  }
  await pass(until);
  points.push(pointAt(until, standings));
  const snapshot = await snapshots.load();
  const places = new Map((snapshot?.accounts ?? []).map(({ id, name, ou }) => [id, { name, ou }]));
  const held = standings.all();
  const now = { compliance: standings.compliance(), openDrifts: standings.openAges(until) };
  await turn();
  const byOu = grouped(held, ({ accountId }) => places.get(accountId)?.ou ?? null).map(([ou, each]) => ({
    ou,
    ...each,
  }));
  await turn();
  const byRule = grouped(held, ({ rule }) => rule).map(([rule, each]) => ({ rule, ...each }));
  return {
    ...{ since: toIso(since), until: toIso(until), intervalMs, points, now, byOu, byRule },
    drifts: { detected: standings.detected, resolved: standings.resolved, timeToResolve: standings.timeToResolve() },
    topDrifters: standings.drifters(query.top).map(([accountId, drifts]) => {
      return { accountId, name: places.get(accountId)?.name ?? null, drifts };
    }),
    topReasons: reasonsOf(held, query.top),
    pruned: start.pruned.length,
  };
}

function assertRange(since: number, until: number, intervalMs: number): void {
  if (!(since < until)) throw new ReportRangeError('the period ends before it begins');
  if (!(intervalMs >= 1)) throw new ReportRangeError('the interval must be positive');
  const points = Math.ceil((until - since) / intervalMs) + 1;
  if (points <= MAX_POINTS) return;
  throw new ReportRangeError(
    `that makes ${points} points in time; the maximum is ${MAX_POINTS}: use a longer interval`,
  );
}

function pointAt(at: number, standings: Standings): Point {
  const { detected, resolved } = standings;
  return { at: toIso(at), compliance: standings.compliance(), openDrifts: standings.openDrifts, detected, resolved };
}

const NOTHING_WRONG: ReadonlySet<string> = new Set(['Compliant', 'Unmanaged', 'NotApplicable', 'Exempt']);

function reasonsOf(held: readonly Held[], top: number): Report['topReasons'] {
  const wrong = held.filter(({ verdict }) => !NOTHING_WRONG.has(verdict));
  const ofAccount = Map.groupBy(held, ({ accountId }) => accountId);
  const named = wrong.map((each) => {
    const others = ofAccount.get(each.accountId) ?? [];
    const shown = shownOf((id) => others.find(({ enrollment }) => enrollment === id) ?? null)[each.enrollment];
    return { verdict: each.verdict, reason: each.reason, ...(shown ?? { status: statusOf(each), message: null }) };
  });
  const groups = Map.groupBy(named, ({ verdict, reason, status }) => `${verdict} ${reason ?? ''} ${status}`);
  return [...groups.values()]
    .flatMap((each) => {
      const [first] = each;
      return first === undefined ? [] : [{ ...first, enrollments: each.length }];
    })
    .sort((a, b) => b.enrollments - a.enrollments)
    .slice(0, top);
}

type Group = z.infer<typeof group>;

/** The worst first; groups without managed enrollments are left out. */
function grouped(
  held: readonly Held[],
  by: (each: Held) => string | null,
): readonly (readonly [string | null, Group])[] {
  const groups = [...Map.groupBy(held, by)].map(([name, each]) => {
    const openDrifts = each.filter(({ driftSince }) => driftSince !== null).length;
    return [name, { ...complianceOf(each.map(({ verdict }) => verdict)), openDrifts }] as const;
  });
  return groups
    .filter(([, { managed }]) => managed > 0)
    .sort(([a, one], [b, other]) => (one.percent ?? 0) - (other.percent ?? 0) || (a ?? '').localeCompare(b ?? ''));
}
