import type { Clock } from '../../../ports/system.ts';
import { assertRange, auditReport, type Report, type ReportQuery, ReportReplay } from './report.ts';

type Stores = Parameters<typeof auditReport>[0];

/** Maximum number of replays in memory. Each one contains every account. */
const MOST = 2;
/** Maximum age of a replay that is continued, ms. A new replay also includes entries that another process wrote late. */
const LONGEST_MS = 10 * 60_000;

interface Kept {
  readonly madeAt: number;
  readonly replay: Promise<ReportReplay>;
  /** Resolves when no report uses the replay any more. */
  last: Promise<unknown>;
}

interface ReportCacheOptions {
  /** As in {@link auditReport}. */
  readonly turn: () => Promise<void>;
  /** Differs after a restore, which removes entries that a replay contains; default: the store is never restored. */
  readonly version: () => Promise<string | null>;
}

/** Continues the replay of an earlier report with the same start, so that refreshing a chart every few seconds reads only the new entries. */
export class ReportCache {
  readonly #clock: Clock;
  readonly #turn: () => Promise<void>;
  readonly #version: () => Promise<string | null>;
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>();

  constructor(
    clock: Clock,
    { turn = async () => undefined, version = async () => null }: Partial<ReportCacheOptions> = {},
  ) {
    this.#clock = clock;
    this.#turn = turn;
    this.#version = version;
  }

  /** @throws ReportRangeError */
  async get(stores: Stores, query: ReportQuery): Promise<Report> {
    assertRange(query);
    const key = `${query.since} ${query.intervalMs} ${await this.#version()}`;
    const now = this.#clock.now();
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const kept = known !== undefined && now - known.madeAt < LONGEST_MS ? known : this.#begin(stores, query, now);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.size > MOST ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
    const report = kept.last.then(() => this.#continue(stores, query, { replay: kept.replay, now }));
    // A failed replay may have stopped anywhere, so it is not continued.
    kept.last = report.catch(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
    return report;
  }

  #begin(stores: Stores, query: ReportQuery, madeAt: number): Kept {
    const replay = ReportReplay.begin(stores, query, this.#turn);
    // The error reaches the caller through `get`.
    replay.catch(() => undefined);
    return { madeAt, replay, last: Promise.resolve() };
  }

  async #continue(
    stores: Stores,
    query: ReportQuery,
    { replay: begun, now }: Pick<Kept, 'replay'> & { readonly now: number },
  ): Promise<Report> {
    const replay = await begun;
    if (!replay.canContinue(query.until)) return auditReport(stores, query, this.#turn);
    return replay.report(query, now);
  }
}
