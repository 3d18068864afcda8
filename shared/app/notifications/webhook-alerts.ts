import * as z from 'zod';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { alertOf, alertTypes, digestOf, isUrgent } from '../../domain/ledger/alert-message.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import type { WebhookEvent } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Webhook, WebhookAnswer } from '../../ports/webhook.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, type Typed, update, writeTyped } from '../coordination/typed-register.ts';

/*
 * The state of the webhook alerts, in one register, so that any number of processes report each entry once:
 *
 *              gather: quiet for a while                lease          answered 2xx
 *   none ───────────────────────────────▶ waiting ───────────▶ sending ───────────▶ none
 *   (mark, seen move in the same write)      ▲                    │
 *                                            └── failed, or its ──┘   (later, at `notBefore`; given up after a day)
 *                                                holder died
 *
 * The compare-and-set that moves the mark puts each entry into exactly one message. A message is posted at least once.
 */
const message = z.object({
  /** Lets the receiver recognize a repeated message. */
  id: z.string(),
  body: z.string(),
  entries: z.number(),
  gatheredAt: z.number(),
  attempts: z.number(),
  notBefore: z.number(),
  /** When the lease of the process that is posting the message expires, epoch ms. Stored under an older name. */
  claimedUntil: z.number(),
});
type Message = z.infer<typeof message>;

const alertState = z.object({
  /** All entries before this time are reported, epoch ms. */
  mark: z.number(),
  /** Reported entries since the mark, each by a prefix of the hash of its id. */
  seen: z.array(z.string()),
  message: message.nullable(),
});
type AlertState = z.infer<typeof alertState>;

export const ALERTS = storedDocument(REGISTERS.alerts, alertState);

/** An entry may become visible this long after its time: clocks differ, indexes lag, and a scan takes a while to write. */
const OVERLAP_MS = 5 * 60_000;
/** A message waits until nothing has been added to it for this long, ms … */
const QUIET_MS = 15_000;
/** … but no longer than this, ms. */
const MAX_WAIT_MS = 3 * 60_000;
/** How long the lease of a message lasts, ms: longer than any post can take. */
const LEASE_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 15 * 60_000;
/** Messages not accepted for this long, and older entries, are dropped; the ledger keeps the entries. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** Maximum number of entries per message; the rest goes into the next one. */
const MAX_READ = 25_000;
const PAGE = 500;
/** Interval at which everything since the mark is read, to find late entries, ms. In between, only new entries are noticed. */
const FULL_READ_MS = 60_000;

export type AlertDeps = Pick<Deps, 'ledger' | 'registers' | 'snapshots' | 'clock' | 'newId' | 'random' | 'logger'>;

export interface AlertStep {
  /** `gathering`: waiting for more entries; `pausing`: after a failure, or while another process is posting. */
  readonly kind: 'nothing' | 'gathering' | 'delivered' | 'failed' | 'pausing';
  /** Number of entries in the message. */
  readonly entries: number;
}

const NOTHING: AlertStep = { kind: 'nothing', entries: 0 };

/** Reports ledger entries to a webhook. Only {@link step} waits for the webhook. */
export class Alerts {
  readonly #deps: AlertDeps;
  readonly #webhook: Webhook;
  readonly #types: readonly EntryType[];
  readonly #events: ReadonlySet<WebhookEvent>;
  #newest = '';
  #fullReadAt = Number.NEGATIVE_INFINITY;
  /** When the gathered entries are due to be sent, epoch ms. */
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(deps: AlertDeps, webhook: Webhook, events: readonly WebhookEvent[]) {
    this.#deps = deps;
    this.#webhook = webhook;
    this.#types = alertTypes(events);
    this.#events = new Set(events);
  }

  /** Starts reporting. Entries before the very first call are not reported. */
  async begin(): Promise<void> {
    const { registers, clock } = this.#deps;
    if ((await readTyped(registers, ALERTS)) !== null) return;
    await writeTyped(registers, ALERTS, { mark: clock.now(), seen: [], message: null } satisfies AlertState, null);
  }

  /**
   * Gathers new entries and, when they are due, makes one attempt to deliver them. Throws only errors of the store.
   * @param flush delivers immediately, because the process is ending
   */
  async step(flush = false): Promise<AlertStep> {
    const known = await readTyped(this.#deps.registers, ALERTS);
    if (known === null) {
      await this.begin();
      return NOTHING;
    }
    if (known.value.message !== null) return this.#send(known.value.message);
    const gathered = await this.#gather(known, flush);
    if (gathered === null) return NOTHING;
    return gathered === 'gathering' ? { kind: 'gathering', entries: 0 } : this.#send(gathered);
  }

  async #gather({ value, version }: Typed<AlertState>, flush: boolean): Promise<Message | null | 'gathering'> {
    const { registers, clock, newId, snapshots } = this.#deps;
    const now = clock.now();
    if (!flush && !(await this.#needsRead(now))) return null;
    const from = Math.max(value.mark, now - MAX_AGE_MS);
    const { entries, completeUntil } = await this.#read(from);
    const seen = new Set(value.seen);
    const fresh = entries.filter(({ id }) => !seen.has(shortOf(id)));
    const due = fresh.length === 0 || flush ? now : dueAt(fresh, now);
    this.#dueAt = due > now ? due : Number.POSITIVE_INFINITY;
    if (due > now) return 'gathering';
    const mark = completeUntil ?? Math.max(from, now - OVERLAP_MS);
    // With nothing to report the mark moves only occasionally, so that an idle system does not write.
    if (fresh.length === 0 && mark - value.mark < OVERLAP_MS) return null;
    const reported = entries.filter(({ at }) => Date.parse(at) >= mark).map(({ id }) => shortOf(id));
    const next: AlertState = { mark, seen: reported, message: null };
    if (fresh.length > 0) {
      const id = newId();
      const organizationId = (await snapshots.meta())?.organizationId ?? null;
      const body = JSON.stringify(digestOf(id, organizationId, fresh));
      const rest = { entries: fresh.length, gatheredAt: now, attempts: 0, notBefore: now, claimedUntil: 0 };
      next.message = { id, body, ...rest };
    }
    if ((await writeTyped(registers, ALERTS, next, version)) !== null) return next.message;
    // Another process was faster; read again to find the remaining entries.
    this.#fullReadAt = Number.NEGATIVE_INFINITY;
    return null;
  }

  /** Whether to read everything since the mark: there is a new entry, or it is time to look for late entries. */
  async #needsRead(now: EpochMs): Promise<boolean> {
    const tops = await Promise.all(this.#types.map((type) => this.#deps.ledger.query({ type }, { limit: 1 })));
    const newest = tops.map(({ entries: [entry] }) => entry?.id ?? '').join(' ');
    if (newest === this.#newest && now - this.#fullReadAt < FULL_READ_MS && now < this.#dueAt) return false;
    this.#newest = newest;
    this.#fullReadAt = now;
    return true;
  }

  /** The entries to report since a time, oldest first. `completeUntil`: not `null` if entries after that time were cut off. */
  async #read(
    from: EpochMs,
  ): Promise<{ readonly entries: readonly LedgerEntry[]; readonly completeUntil: EpochMs | null }> {
    const found: LedgerEntry[] = [];
    const open = new Map<EntryType, { readonly cursor: string | null; readonly last: EpochMs }>();
    for (const type of this.#types) open.set(type, { cursor: null, last: from });
    for (let read = 0; read < MAX_READ && open.size > 0; ) {
      // Read the type that lags furthest, so that all types are complete up to about the same time.
      const [type, place] = [...open].reduce((a, b) => (b[1].last < a[1].last ? b : a));
      const filter = { type, since: toIso(from) };
      const page = await this.#deps.ledger.query(filter, { limit: PAGE, cursor: place.cursor, order: 'oldestFirst' });
      found.push(...page.entries.filter((entry) => this.#isReported(entry)));
      read += page.entries.length;
      if (page.next === null) open.delete(type);
      else open.set(type, { cursor: page.next, last: Date.parse(page.entries.at(-1)?.at ?? toIso(place.last)) });
    }
    found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    if (open.size === 0) return { entries: found, completeUntil: null };
    const completeUntil = Math.min(...[...open.values()].map(({ last }) => last));
    return { entries: found.filter(({ at }) => Date.parse(at) <= completeUntil), completeUntil };
  }

  #isReported(entry: LedgerEntry): boolean {
    const event = alertOf(entry);
    return event !== null && this.#events.has(event);
  }

  async #send(waiting: Message): Promise<AlertStep> {
    const { registers, clock, logger } = this.#deps;
    const { id, body, entries } = waiting;
    if (!(await this.#lease(id))) return { kind: 'pausing', entries };
    const answer = await this.#webhook.post(id, body);
    const now = clock.now();
    const tooOld = !answer.ok && now - waiting.gatheredAt > MAX_AGE_MS;
    await update(registers, ALERTS, (current): AlertState => {
      if (current === null) return { mark: now, seen: [], message: null };
      if (current.message?.id !== id) return current;
      if (answer.ok || tooOld) return { ...current, message: null };
      return { ...current, message: this.#afterFailure(current.message, answer, now) };
    });
    if (answer.ok) return { kind: 'delivered', entries };
    const fields = { delivery: id, entries, attempts: waiting.attempts + 1, reason: answer.reason };
    if (tooOld)
      logger.error(
        'the webhook accepted no message for a day; this message is dropped, its entries stay in the audit log',
        fields,
      );
    else logger.warn('the webhook did not accept a message; it will be retried', fields);
    return { kind: 'failed', entries };
  }

  /** Only one process posts a message at a time. After a crash the others wait until its lease expires. */
  async #lease(id: string): Promise<boolean> {
    const { registers, clock } = this.#deps;
    const known = await readTyped(registers, ALERTS);
    const now = clock.now();
    const waiting = known?.value.message ?? null;
    if (known === null || waiting === null || waiting.id !== id) return false;
    if (now < waiting.notBefore || now < waiting.claimedUntil) return false;
    const leased: AlertState = { ...known.value, message: { ...waiting, claimedUntil: now + LEASE_MS } };
    return (await writeTyped(registers, ALERTS, leased, known.version)) !== null;
  }

  #afterFailure(failed: Message, answer: Extract<WebhookAnswer, { ok: false }>, now: EpochMs): Message {
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failed.attempts, 20));
    const jittered = pause * (0.5 + this.#deps.random() / 2);
    const notBefore = now + Math.min(MAX_PAUSE_MS, Math.max(jittered, answer.retryAfterMs ?? 0));
    return { ...failed, attempts: failed.attempts + 1, notBefore, claimedUntil: 0 };
  }
}

/** When to send: immediately with an urgent entry, otherwise after a quiet period or after the maximum wait. */
function dueAt(fresh: readonly LedgerEntry[], now: EpochMs): EpochMs {
  if (fresh.some((entry) => isUrgent(alertOf(entry) ?? 'drift'))) return now;
  const newest = Date.parse(fresh.at(-1)?.at ?? '');
  const oldest = Date.parse(fresh[0]?.at ?? '');
  return Math.min(newest + QUIET_MS, oldest + MAX_WAIT_MS);
}

/** 48 bits: short enough for thousands of ids in a register, long enough to avoid collisions within a few minutes. */
function shortOf(id: string): string {
  return sha256Hex(id).slice(0, 12);
}
