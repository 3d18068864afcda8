import type { EpochMs } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps } from '../context.ts';
import { BUSY, oneAtATime } from '../coordination/single-flight.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { loggedThrough } from './chain-places.ts';
import { lastRestore } from './last-restore.ts';
import { type BrokenChain, changeLog, LOG, LogReplacedError, type LogState, newLogId } from './log-documents.ts';
import { isAtEnd, LogTail } from './log-tail.ts';
import { newEntriesOf } from './new-entries.ts';

export type SequencerDeps = Pick<Deps, 'ledger' | 'registers' | 'clock' | 'newId'>;

export interface SequencerLimits {
  /** No further step begins after this time. */
  readonly until: EpochMs;
  /** The maximum time for appending entries, ms, not counting the search for them; default: until `until`. At least one step is made. */
  readonly appendMs?: number;
}

export interface Sequenced {
  readonly log: LogState;
  /** Whether all entries that were found are in the log. */
  readonly complete: boolean;
  /** Whether there were any. */
  readonly grown: boolean;
}

/**
 * An entry may be stored this much later than its time says, ms, because of slow writes, lagging indexes and wrong clocks. Entries that were stored
 * even later are found when all chains are compared, once a day.
 */
const LATE_MS = 120_000;
const COMPARE_MS = 86_400_000;
const GROUP = 16;
const CHAIN_PAGE = 64;
const MAX_BROKEN = 10;
const LEASE = 'transparency-log';

/**
 * Appends entries of the audit log to the transparency log: chain by chain, and in the order of each chain. Any number of processes may run it. A lease
 * avoids duplicate work; the order does not depend on it.
 */
export class Sequencer {
  readonly #deps: SequencerDeps;
  /** The last number in the log, by chain; never more than the log has. */
  readonly #logged = new Map<string, number>();
  #seen: Pick<LogState, 'id' | 'size'> | null = null;

  constructor(deps: SequencerDeps) {
    this.#deps = deps;
  }

  /** One bounded part of the work. If nothing is new, it writes nothing. */
  async run(limits: SequencerLimits): Promise<Sequenced> {
    try {
      return await this.#run(limits);
    } catch (error) {
      if (!(error instanceof LogReplacedError)) throw error;
      return { log: await openLog(this.#deps), complete: false, grown: true };
    }
  }

  async #run(limits: SequencerLimits): Promise<Sequenced> {
    const { registers, clock } = this.#deps;
    const log = await openLog(this.#deps);
    this.#forgetIfReplaced(log);
    const begun = clock.now();
    const compareAll = begun - log.comparedAt >= COMPARE_MS;
    const { chains, reached } = await this.#behind(log, compareAll);
    if (await this.#hasWork(log, chains, reached)) {
      const work = (lost: AbortSignal) => new Round(this.#deps, limits, lost).append(chains, log);
      const done = await oneAtATime(this.#deps, LEASE, work);
      if (done === BUSY || !done) return { log: await openLog(this.#deps), complete: false, grown: true };
    } else if (!compareAll && (reached === 0 || begun - log.searchedUntil <= 2 * LATE_MS)) {
      return { log, complete: true, grown: false };
    }
    const state = await changeLog(registers, (current) => searched(current, begun, compareAll));
    return { log: state, complete: state.backfilled === null, grown: state.size > log.size };
  }

  /** @param reached the number of chains with recent entries */
  async #hasWork(log: LogState, chains: readonly string[], reached: number): Promise<boolean> {
    if (chains.length > 0 || log.backfilled !== null) return true;
    // A step that was interrupted may have recorded all chains, but not the size. The search has not moved on since, so their entries are still recent.
    return reached > 0 && !(await isAtEnd(this.#deps.registers, log));
  }

  #forgetIfReplaced({ id, size }: LogState): void {
    if (this.#seen !== null && (this.#seen.id !== id || this.#seen.size > size)) this.#logged.clear();
    this.#seen = { id, size };
  }

  /** The chains that have entries after those in the log, and how many chains were searched. */
  async #behind(log: LogState, compareAll: boolean) {
    // A restore may have replaced the store, so the cached numbers expire.
    if (compareAll) this.#logged.clear();
    const reached = compareAll ? await this.#allEnds() : await this.#recent(log);
    const candidates = [...reached].filter(([chain, seq]) => seq > (this.#logged.get(chain) ?? 0));
    const behind = await mapParallel(candidates, GROUP, async ([chain, seq]) => {
      const logged = await loggedThrough(this.#deps.registers, chain);
      this.#logged.set(chain, logged);
      return seq > logged ? [chain] : [];
    });
    return { chains: behind.flat().sort(), reached: reached.size };
  }

  #recent({ searchedUntil }: LogState): Promise<ReadonlyMap<string, number>> {
    // If the clock was set back, `searchedUntil` lies in the future.
    const since = Math.min(searchedUntil, this.#deps.clock.now()) - LATE_MS;
    return this.#deps.ledger.reachedSince(toIso(since));
  }

  async #allEnds(): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    for await (const page of this.#deps.ledger.ends()) for (const { chain, seq } of page) ends.set(chain, seq);
    return ends;
  }
}

/** The log as stored; creates it if the store has none. */
async function openLog({ registers, ledger, clock, newId }: SequencerDeps): Promise<LogState> {
  const known = await readTyped(registers, LOG);
  if (known !== null) return known.value;
  const created: LogState = {
    id: newLogId(newId()),
    size: 0,
    searchedUntil: clock.now(),
    comparedAt: clock.now(),
    backfilled: '',
    runEnd: 0,
    restoredBy: await lastRestore(ledger),
    broken: [],
  };
  return update(registers, LOG, (current) => current ?? created);
}

function searched(log: LogState, begun: EpochMs, comparedAll: boolean): LogState {
  return {
    ...log,
    searchedUntil: Math.max(log.searchedUntil, begun),
    ...(comparedAll && { comparedAt: begun }),
  };
}

/** The work of one holder of the lease. */
class Round {
  readonly #deps: SequencerDeps;
  readonly #until: EpochMs;
  readonly #lost: AbortSignal;
  readonly #broken = new Map<string, BrokenChain | null>();

  constructor(deps: SequencerDeps, { until, appendMs = Number.POSITIVE_INFINITY }: SequencerLimits, lost: AbortSignal) {
    this.#deps = deps;
    this.#until = Math.min(until, deps.clock.now() + appendMs);
    this.#lost = lost;
  }

  /**
   * Appends the new entries of these chains, and the entries of chains from before the log existed.
   * @param log its state as last read
   * @returns whether all are appended
   */
  async append(chains: readonly string[], log: LogState): Promise<boolean> {
    try {
      const tail = await LogTail.open(this.#deps, log);
      return (await this.#appendAll(tail, chains)) && (await this.#backfill(tail));
    } finally {
      await this.#noteBroken();
    }
  }

  get #over(): boolean {
    return this.#lost.aborted || this.#deps.clock.now() >= this.#until;
  }

  async #appendAll(tail: LogTail, chains: readonly string[]): Promise<boolean> {
    for (let at = 0; at < chains.length; at += GROUP) {
      if (!(await this.#appendGroup(tail, chains.slice(at, at + GROUP)))) return false;
    }
    return true;
  }

  async #appendGroup(tail: LogTail, chains: readonly string[]): Promise<boolean> {
    for (let open = chains; open.length > 0; ) {
      if (this.#over) return false;
      const news = await newEntriesOf(this.#deps, open);
      for (const { chain, broken } of news) this.#broken.set(chain, broken);
      if (!(await tail.append(news))) return false;
      open = news.filter(({ more }) => more).map(({ chain }) => chain);
    }
    return true;
  }

  /** Chains that existed before the log, in the order of their names. */
  async #backfill(tail: LogTail): Promise<boolean> {
    const { registers, ledger } = this.#deps;
    for (;;) {
      const { backfilled } = await openLog(this.#deps);
      if (backfilled === null) return true;
      const chains = await ledger.chains(backfilled === '' ? null : backfilled, CHAIN_PAGE);
      if (!(await this.#appendAll(tail, chains))) return false;
      const next = chains.length < CHAIN_PAGE ? null : (chains.at(-1) ?? null);
      await changeLog(registers, (log) => ({ ...log, backfilled: log.backfilled === null ? null : next }));
    }
  }

  async #noteBroken(): Promise<void> {
    if (this.#broken.size === 0) return;
    const found = [...this.#broken.values()].flatMap((each) => each ?? []);
    await changeLog(this.#deps.registers, (log) => {
      const others = log.broken.filter(({ chain }) => !this.#broken.has(chain));
      return { ...log, broken: [...others, ...found].slice(0, MAX_BROKEN) };
    });
  }
}
