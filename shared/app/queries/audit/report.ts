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
      verdict: z.string(),
      reason: z.string().nullable(),
      enrollments: z.number(),
      status: z.enum(STATUSES),
      message: z.string().nullable(),
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

interface ReportPeriod {
  /** ISO 8601, inclusive. */
  readonly since: string;
  readonly intervalMs: number;
}

export interface ReportQuery extends ReportPeriod {
  /** ISO 8601, exclusive. */
  readonly until: string;
  /** Maximum length of `topDrifters` and of `topReasons`. */
  readonly top: number;
}

/** Maximum number of points, more than a chart needs. Each point counts every account. */
const MAX_POINTS = 1_000;

export class ReportRangeError extends RangeError {
  override readonly name = 'ReportRangeError';
}

interface ReportStores {
  readonly ledger: Ledger;
  readonly snapshots: Pick<SnapshotStore, 'load'>;
}

/**
 * Compliance over a period: starts from the state at its beginning and reads every later entry once.
 * @param turn called before each point is computed; returns when the thread has time for it, so that other requests are not delayed
 * @throws ReportRangeError for an empty period, and for more than {@link MAX_POINTS} points
 */
export async function auditReport(
  stores: ReportStores,
  query: ReportQuery,
  turn: () => Promise<void> = async () => undefined,
): Promise<Report> {
  assertRange(query);
  return (await ReportReplay.begin(stores, query, turn)).report(query, Number.POSITIVE_INFINITY);
}

/** How far a continued replay overlaps what it has read, ms. Another process whose clock is behind writes entries with earlier times. */
const OVERLAP_MS = 2_000;

/** The replay behind a report. It can be continued to a later end. */
export class ReportReplay {
  readonly #stores: ReportStores;
  readonly #turn: () => Promise<void>;
  readonly #since: number;
  readonly #intervalMs: number;
  readonly #pruned: number;
  readonly #standings: Standings;
  /** One point at `since` and one after each interval, as far as the replay has come. */
  readonly #points: Point[] = [];
  /** Entries before this time have been read, epoch ms. */
  #reached: number;
  /** Time of the latest entry that was read, epoch ms. */
  #latest = Number.NEGATIVE_INFINITY;

  private constructor(
    stores: ReportStores,
    { since, intervalMs }: ReportPeriod,
    { standings, pruned, turn }: { standings: Standings; pruned: number; turn: () => Promise<void> },
  ) {
    this.#stores = stores;
    this.#since = Date.parse(since);
    this.#intervalMs = intervalMs;
    this.#standings = standings;
    this.#pruned = pruned;
    this.#turn = turn;
    this.#reached = this.#since;
  }

  static async begin(stores: ReportStores, period: ReportPeriod, turn: () => Promise<void>): Promise<ReportReplay> {
    const start = await auditAsOf(stores.ledger, period.since);
    const standings = new Standings(start.accounts);
    await standings.findOpenDrifts(stores.ledger, start.at);
    return new ReportReplay(stores, period, { standings, pruned: start.pruned.length, turn });
  }

  /** Whether a report to `until` can continue this replay. A replay cannot go back, neither for its end nor for a point before an entry that it has read. */
  canContinue(until: string): boolean {
    const nextPoint = this.#since + this.#points.length * this.#intervalMs;
    return Date.parse(until) >= Math.max(this.#reached, this.#latest + 1) && nextPoint >= this.#latest;
  }

  /**
   * Continues to `until`. No other call may be under way.
   * @param now epoch ms, not later than the call. If `until` is later, the next report reads the time since `now` again.
   */
  async report({ until: end, top }: Pick<ReportQuery, 'until' | 'top'>, now: number): Promise<Report> {
    const until = Date.parse(end);
    const from = Math.max(this.#since + 1, this.#reached - OVERLAP_MS);
    const filter = { since: toIso(from), until: toIso(until) };
    for await (const entry of entriesOf(this.#stores.ledger, filter, OLDEST_FIRST)) {
      // A point includes the entries of its own time, so only earlier points are computed here. The last point is at `until`, which is exclusive.
      await this.#pass(Date.parse(entry.at) - 1, until);
      this.#standings.take(entry);
      this.#latest = Math.max(this.#latest, Date.parse(entry.at));
    }
    await this.#pass(until, until);
    const points = [...this.#points, pointAt(until, this.#standings)];
    this.#reached = Math.min(until, now);
    // Entries that are written from now on can change the points in the future.
    this.#points.splice(Math.max(0, Math.ceil((this.#reached - this.#since) / this.#intervalMs)));
    return this.#summary(until, points, top);
  }

  async #pass(to: number, until: number): Promise<void> {
    for (;;) {
      const next = this.#since + this.#points.length * this.#intervalMs;
      if (next > to || next >= until) return;
      await this.#turn();
      this.#points.push(pointAt(next, this.#standings));
    }
  }

  async #summary(until: number, points: Report['points'], top: number): Promise<Report> {
    const standings = this.#standings;
    const snapshot = await this.#stores.snapshots.load();
    const places = new Map((snapshot?.accounts ?? []).map(({ id, name, ou }) => [id, { name, ou }]));
    const held = standings.all();
    const now = { compliance: standings.compliance(), openDrifts: standings.openAges(until) };
    await this.#turn();
    const ouOf = ({ accountId }: Held): string | null => places.get(accountId)?.ou ?? null;
    const byOu = grouped(held, ouOf).map(([ou, each]) => ({ ou, ...each }));
    await this.#turn();
    const byRule = grouped(held, ({ rule }) => rule).map(([rule, each]) => ({ rule, ...each }));
    const { detected, resolved } = standings;
    return {
      since: toIso(this.#since),
      until: toIso(until),
      intervalMs: this.#intervalMs,
      points,
      now,
      byOu,
      byRule,
      drifts: { detected, resolved, timeToResolve: standings.timeToResolve() },
      topDrifters: standings.drifters(top).map(([accountId, drifts]) => {
        return { accountId, name: places.get(accountId)?.name ?? null, drifts };
      }),
      topReasons: reasonsOf(held, top),
      pruned: this.#pruned,
    };
  }
}

/** @throws ReportRangeError */
export function assertRange(query: ReportQuery): void {
  const { intervalMs } = query;
  const [since, until] = [Date.parse(query.since), Date.parse(query.until)];
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
