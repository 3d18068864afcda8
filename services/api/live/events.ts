import * as z from 'zod';
import type { LedgerEntry } from '../../../shared/domain/ledger/entry.ts';
import { toIso } from '../../../shared/domain/time.ts';
import type { ApiSystem } from '../system.ts';
import { OVERLAP_MS } from './recent-entries.ts';

/* Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */

/** Replaces the entry's id in the id of a `gap` event, which stands for everything older. */
const GAP = 'gap';
/** Delay before a reader reconnects, ms. */
const RETRY_MS = 3_000;
/** Events that are available together are sent in parts of about this many characters. A part for each entry would take four times as long. */
const PART_LENGTH = 64 * 1024;
/** Interval of keep-alive comments, ms. Without them, a quiet connection would look like a broken one. */
const ALIVE_MS = 15_000;

export interface EventsOptions {
  /** `Last-Event-ID`: the id of the last event that the reader received before the connection broke. */
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  /** `false`: the stream ends after the events that are available now, and the reader reconnects. */
  readonly lasting: boolean;
}

/** The text of an event stream, with events `progress`, `entry` and `gap`. */
export async function* events(system: ApiSystem, options: EventsOptions): AsyncGenerator<string> {
  const { lasting, signal } = options;
  const { clock, feed, pollMs } = system;
  yield `retry: ${lasting ? RETRY_MS : Math.max(RETRY_MS, pollMs)}\n\n`;
  const tail = new Tail(system, placeOf(options.lastEventId));
  const changes = new Changes(feed.watch);
  let aliveAt = clock.now();
  let polledAt = Number.NEGATIVE_INFINITY;
  try {
    yield message('progress', feed.state, tail.begin);
    for (;;) {
      if (clock.now() - polledAt >= pollMs) {
        polledAt = clock.now();
        yield* tail.news();
      }
      if (!lasting || signal.aborted) return;
      if (changes.take()) yield message('progress', feed.state);
      if (clock.now() - aliveAt >= ALIVE_MS) {
        aliveAt = clock.now();
        yield ': alive\n\n';
      }
      await clock.sleep(Math.min(pollMs, PROGRESS_MS), signal);
    }
  } finally {
    changes.end();
  }
}

/** Minimum time between two progress events, ms. */
const PROGRESS_MS = 250;

/** Remembers whether anything changed since the last `take`. */
class Changes {
  #changed = false;
  readonly end: () => void;

  constructor(watch: (changed: () => void) => () => void) {
    this.end = watch(() => {
      this.#changed = true;
    });
  }

  take(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }
}

interface PlaceInTime {
  readonly at: number;
  readonly id: string;
}

/** Finds new entries of the ledger and sends each once. */
class Tail {
  readonly #system: ApiSystem;
  readonly #resumed: boolean;
  #at: number;
  /** A gap was sent for everything before this time, epoch ms. */
  #floor = 0;
  readonly #seen = new Map<string, number>();

  constructor(system: ApiSystem, from: PlaceInTime | 'unknown' | null) {
    this.#system = system;
    this.#resumed = from !== null;
    const known = from === 'unknown' ? null : from;
    this.#at = known?.at ?? system.clock.now();
    if (known?.id === GAP) this.#floor = known.at;
    else if (known !== null) this.#seen.set(known.id, known.at);
    this.#gap = from === 'unknown';
  }

  #gap: boolean;

  /** The event id to send first, so that a reader can resume even if it receives no entry; `undefined` for a reader that has resumed. */
  get begin(): string | undefined {
    return this.#resumed ? undefined : `${toIso(this.#at)}_begin`;
  }

  async *news(): AsyncGenerator<string> {
    const since = Math.max(this.#floor, this.#at - OVERLAP_MS);
    const fresh = await this.#system.recent.since(since, (id) => !this.#seen.has(id));
    // The reader reloads everything after a gap.
    if (this.#gap || fresh === null) {
      const gap = { since: this.#gap ? null : toIso(since) };
      this.#gap = false;
      this.#at = this.#system.clock.now();
      this.#floor = this.#at;
      this.#seen.clear();
      // The gap has a new event id. A reader that resumed from its old one would receive the same gap again.
      yield message('gap', gap, `${toIso(this.#at)}_${GAP}`);
      return;
    }
    let part = '';
    for (const { entry, at, text } of fresh) {
      this.#seen.set(entry.id, at);
      this.#at = Math.max(this.#at, at);
      part += messageOf('entry', text, idOf(entry));
      if (part.length < PART_LENGTH) continue;
      yield part;
      part = '';
    }
    if (part !== '') yield part;
    for (const [id, at] of this.#seen) if (at < this.#at - OVERLAP_MS) this.#seen.delete(id);
  }
}

const idOf = ({ at, id }: LedgerEntry): string => `${at}_${id}`;
const idSchema = z.tuple([z.iso.datetime(), z.string().regex(/^[\w.]{1,64}$/)]);

/** The place from which a reader resumes; `unknown` for an id that this API did not send. */
function placeOf(lastEventId: string | null): PlaceInTime | 'unknown' | null {
  if (lastEventId === null || lastEventId === '') return null;
  const cut = lastEventId.indexOf('_');
  const parsed = idSchema.safeParse([lastEventId.slice(0, cut), lastEventId.slice(cut + 1)]);
  return parsed.success ? { at: Date.parse(parsed.data[0]), id: parsed.data[1] } : 'unknown';
}

function message(event: string, data: unknown, id?: string): string {
  return messageOf(event, JSON.stringify(data), id);
}

/** @param json has no line breaks, which would end the message */
function messageOf(event: string, json: string, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`;
}
