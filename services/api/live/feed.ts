import type * as z from 'zod';
import type { Progress } from '../../../shared/app/context.ts';
import { PlannedWork, workKey } from '../../../shared/app/plan/planned-work.ts';
import { totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { Clock } from '../../../shared/ports/system.ts';
import type { progress } from '../schemas/live.ts';

export type LiveProgress = z.output<typeof progress>;

/** Maximum number of event streams. They share the queries of the ledger (`RecentEntries`), so each costs a connection and some text. */
const MAX_READERS = 100;
/** Maximum number of event streams of one token, user or role: each open tab of the dashboard has one. */
const MAX_READERS_PER_CLIENT = 40;

const IDLE: LiveProgress = {
  phase: 'idle',
  runId: null,
  startedAt: null,
  at: null,
  organization: 0,
  recorded: 0,
  worked: {},
  listed: byKind(() => 0),
  probed: { done: 0, total: 0 },
  queued: { messages: 0, changes: 0, followUps: 0 },
  changes: { total: 0, confirmed: 0, failed: 0, blocked: 0, notNeeded: 0, inProgress: 0 },
};

/** Live progress of the runs of this process, as totals. A watcher that connects late sees them too. */
export class Feed {
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  readonly #readers = new Map<symbol, string>();
  readonly #work = new PlannedWork();
  #state: LiveProgress = IDLE;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): LiveProgress {
    return this.#state;
  }

  /** A run begins. */
  readonly begin = (runId: string): void => {
    const now = toIso(this.#clock.now());
    this.#work.begin(new Set());
    this.#set({ ...IDLE, phase: 'waiting', runId, startedAt: now });
  };

  readonly take = (event: Progress): void => {
    if (event.kind === 'queued') this.#work.begin(event.keys);
    if (event.kind === 'worked') this.#work.take(workKey(event.accountId, event.enrollment), event.outcome);
    this.#set({ ...this.#state, ...next(this.#state, event), changes: this.#work.progress });
  };

  /** The scan has ended. If it queued nothing, for example after a guardrail tripped, the run ends too. */
  readonly scanned = (): void => {
    if (this.#state.phase !== 'working' || allWorked(this.#state)) this.rest();
  };

  /** The run has ended. */
  readonly rest = (): void => {
    this.#set({ ...this.#state, phase: 'idle' });
  };

  /** @returns a function that ends the subscription */
  readonly watch = (changed: () => void): (() => void) => {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  };

  /** Adds an event stream of a client. @returns a function that ends it (safe to call twice); `null`: there are too many */
  enter(client: string): (() => void) | null {
    const own = [...this.#readers.values()].filter((each) => each === client).length;
    if (own >= MAX_READERS_PER_CLIENT || this.#readers.size >= MAX_READERS) return null;
    const reader = Symbol('reader');
    this.#readers.set(reader, client);
    return () => void this.#readers.delete(reader);
  }

  #set(state: LiveProgress): void {
    this.#state = { ...state, at: toIso(this.#clock.now()) };
    for (const watcher of this.#watchers) watcher();
  }
}

/** Whether all queued changes have ended, except follow-ups, which may wait for long. Changes of other runs may be counted too, hence `>=`. */
function allWorked({ worked, queued }: Pick<LiveProgress, 'worked' | 'queued'>): boolean {
  return Object.values(worked).reduce((sum, n) => sum + n, 0) >= queued.changes - queued.followUps;
}

function next(state: LiveProgress, event: Progress): Partial<LiveProgress> {
  switch (event.kind) {
    case 'waitingForLease':
      return { phase: 'waiting' };
    case 'organization':
      return { phase: 'organization', organization: event.accounts };
    case 'listing':
      return { phase: 'listing', listed: { ...state.listed, [event.listing]: event.accounts } };
    case 'probing':
      return { phase: 'probing', probed: { done: event.done, total: event.total } };
    case 'recorded':
      return { recorded: event.entries };
    case 'queued':
      return { phase: 'working', queued: queuedOf(event) };
    case 'worked': {
      const worked = { ...state.worked, [event.outcome]: (state.worked[event.outcome] ?? 0) + 1 };
      // The phase becomes `working` again if the scan queues more.
      return { phase: allWorked({ ...state, worked }) ? 'idle' : 'working', worked };
    }
    case 'waiting':
      return { phase: 'waiting' };
    case 'concluded':
      return {};
  }
}

function queuedOf({ messages, totals }: Extract<Progress, { kind: 'queued' }>): LiveProgress['queued'] {
  return { messages, changes: totalChanges(totals), followUps: totals.followUps };
}
