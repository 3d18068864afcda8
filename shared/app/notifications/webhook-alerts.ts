import * as z from 'zod';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { alertOf, alertTypes, digestOf, isUrgent } from '../../domain/ledger/alert-message.ts';
import type { EntryType, LedgerEntry } from '../../domain/ledger/entry.ts';
import type { WebhookEvent } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Webhook, WebhookAnswer } from '../../ports/webhook.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, type Typed, update, writeTyped } from '../coordination/typed-register.ts';

/*
 * What the webhook has been told, in one register, so that any number of processes tell everything once:
 *
 *              gather: quiet for a while                claim          answered 2xx
 *   none ───────────────────────────────▶ waiting ───────────▶ sending ───────────▶ none
 *   (mark, seen move in the same write)      ▲                    │
 *                                            └── failed, or its ──┘   (later, at `notBefore`; given up after a day)
 *                                                holder died
 *
 * An entry goes into exactly one message, by the compare-and-set that moves the mark; a message is posted at least once, always under the
 * same name and with the same body.
 */
const message = z.object({
  /** Names the message for whoever gets it twice. */
  id: z.string(),
  body: z.string(),
  entries: z.number(),
  gatheredAt: z.number(),
  attempts: z.number(),
  notBefore: z.number(),
  /** Until then somebody is posting it. */
  claimedUntil: z.number(),
});
type Message = z.infer<typeof message>;

const alertState = z.object({
  /** Entries of before this time are dealt with. Epoch ms. */
  mark: z.number(),
  /** Entries of since then that are dealt with as well, each by a part of its id's hash. */
  seen: z.array(z.string()),
  message: message.nullable(),
});
type AlertState = z.infer<typeof alertState>;

export const ALERTS = storedDocument(REGISTERS.alerts, alertState);

/** How long after its time an entry may come to light: clocks differ, indexes follow, a scan writes for a while. */
const OVERLAP_MS = 5 * 60_000;
/** A message waits until nothing has been added for this long … */
const QUIET_MS = 15_000;
/** … but no longer than this. */
const MAX_WAIT_MS = 3 * 60_000;
/** Longer than any post can take. */
const CLAIM_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 15 * 60_000;
/** A message that nobody took for a day, and entries that are older, are let go: the ledger has them. */
const LET_GO_MS = 24 * 60 * 60_000;
/** Entries read in one go; what is left makes the next message. More than one scan can find at one and the same time. */
const MAX_READ = 25_000;
const PAGE = 500;
/** Between two looks at everything since the mark, ms; in between only the newest entries are looked at. */
const FULL_LOOK_MS = 60_000;

export type AlertDeps = Pick<Deps, 'ledger' | 'registers' | 'snapshots' | 'clock' | 'newId' | 'random' | 'logger'>;

export interface AlertStep {
  /** `gathering`: more may follow; `pausing`: after a failure, or somebody else is at it. */
  readonly kind: 'nothing' | 'gathering' | 'told' | 'failed' | 'pausing';
  /** Entries that the message is about. */
  readonly entries: number;
}

const NOTHING: AlertStep = { kind: 'nothing', entries: 0 };

/** Tells a webhook what happened, from the ledger. Whatever the webhook does, nothing waits for it but {@link step}. */
export class Alerts {
  readonly #deps: AlertDeps;
  readonly #webhook: Webhook;
  readonly #types: readonly EntryType[];
  readonly #events: ReadonlySet<WebhookEvent>;
  #newest = '';
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** When what is being gathered is told at the latest. */
  #ripeAt = Number.POSITIVE_INFINITY;

  constructor(deps: AlertDeps, webhook: Webhook, events: readonly WebhookEvent[]) {
    this.#deps = deps;
    this.#webhook = webhook;
    this.#types = alertTypes(events);
    this.#events = new Set(events);
  }

  /** From here on everything is told; what was before the very first call is not. */
  async begin(): Promise<void> {
    const { registers, clock } = this.#deps;
    if ((await readTyped(registers, ALERTS)) !== null) return;
    await writeTyped(registers, ALERTS, { mark: clock.now(), seen: [], message: null } satisfies AlertState, null);
  }

  /**
   * Gathers what is new if there is a reason to tell it now, and makes one attempt to deliver it.
   * @param flush do not wait for more: the process ends.
   * @throws what the store throws; never on account of the webhook.
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
    if (!flush && !(await this.#hasNews(now))) return null;
    const from = Math.max(value.mark, now - LET_GO_MS);
    const { entries, completeUntil } = await this.#read(from);
    const seen = new Set(value.seen);
    const fresh = entries.filter(({ id }) => !seen.has(shortOf(id)));
    const ripe = fresh.length === 0 || flush ? now : ripeAt(fresh, now);
    this.#ripeAt = ripe > now ? ripe : Number.POSITIVE_INFINITY;
    if (ripe > now) return 'gathering';
    const mark = completeUntil ?? Math.max(from, now - OVERLAP_MS);
    // Nothing to tell: the mark is moved only now and then, so that a quiet system does not write.
    if (fresh.length === 0 && mark - value.mark < OVERLAP_MS) return null;
    const told = entries.filter(({ at }) => Date.parse(at) >= mark).map(({ id }) => shortOf(id));
    const next: AlertState = { mark, seen: told, message: null };
    if (fresh.length > 0) {
      const id = newId();
      const organizationId = (await snapshots.meta())?.organizationId ?? null;
      const body = JSON.stringify(digestOf(id, organizationId, fresh));
      const rest = { entries: fresh.length, gatheredAt: now, attempts: 0, notBefore: now, claimedUntil: 0 };
      next.message = { id, body, ...rest };
    }
    if ((await writeTyped(registers, ALERTS, next, version)) !== null) return next.message;
    // Somebody else was faster: what they left is looked for again.
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    return null;
  }

  /** Whether it is worth while to look at everything since the mark: something came, or it is time again for what came late. */
  async #hasNews(now: EpochMs): Promise<boolean> {
    const tops = await Promise.all(this.#types.map((type) => this.#deps.ledger.query({ type }, { limit: 1 })));
    const newest = tops.map(({ entries: [entry] }) => entry?.id ?? '').join(' ');
    if (newest === this.#newest && now - this.#lookedAt < FULL_LOOK_MS && now < this.#ripeAt) return false;
    this.#newest = newest;
    this.#lookedAt = now;
    return true;
  }

  /**
   * What is to be told since a time, oldest first. `completeUntil`: there is more than can be read in one go, and this is all of what was
   * before that time.
   */
  async #read(
    from: EpochMs,
  ): Promise<{ readonly entries: readonly LedgerEntry[]; readonly completeUntil: EpochMs | null }> {
    const found: LedgerEntry[] = [];
    const open = new Map<EntryType, { readonly cursor: string | null; readonly last: EpochMs }>();
    for (const type of this.#types) open.set(type, { cursor: null, last: from });
    for (let read = 0; read < MAX_READ && open.size > 0; ) {
      // Whichever type has been read the least far: so all are complete to about the same time.
      const [type, place] = [...open].reduce((a, b) => (b[1].last < a[1].last ? b : a));
      const filter = { type, since: toIso(from) };
      const page = await this.#deps.ledger.query(filter, { limit: PAGE, cursor: place.cursor, order: 'oldestFirst' });
      found.push(...page.entries.filter((entry) => this.#wants(entry)));
      read += page.entries.length;
      if (page.next === null) open.delete(type);
      else open.set(type, { cursor: page.next, last: Date.parse(page.entries.at(-1)?.at ?? toIso(place.last)) });
    }
    found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    if (open.size === 0) return { entries: found, completeUntil: null };
    const completeUntil = Math.min(...[...open.values()].map(({ last }) => last));
    return { entries: found.filter(({ at }) => Date.parse(at) <= completeUntil), completeUntil };
  }

  #wants(entry: LedgerEntry): boolean {
    const event = alertOf(entry);
    return event !== null && this.#events.has(event);
  }

  async #send(waiting: Message): Promise<AlertStep> {
    const { registers, clock, logger } = this.#deps;
    const { id, body, entries } = waiting;
    if (!(await this.#claim(id))) return { kind: 'pausing', entries };
    const answer = await this.#webhook.post(id, body);
    const now = clock.now();
    const tooOld = !answer.ok && now - waiting.gatheredAt > LET_GO_MS;
    await update(registers, ALERTS, (current): AlertState => {
      if (current === null) return { mark: now, seen: [], message: null };
      if (current.message?.id !== id) return current;
      if (answer.ok || tooOld) return { ...current, message: null };
      return { ...current, message: this.#afterFailure(current.message, answer, now) };
    });
    if (answer.ok) return { kind: 'told', entries };
    const fields = { delivery: id, entries, attempts: waiting.attempts + 1, reason: answer.reason };
    if (tooOld) logger.error('the webhook took no message for a day; this one is let go, the ledger has it', fields);
    else logger.warn('the webhook did not take a message; it is tried again', fields);
    return { kind: 'failed', entries };
  }

  /** Only one posts a message at a time; whoever dies over it is waited for. */
  async #claim(id: string): Promise<boolean> {
    const { registers, clock } = this.#deps;
    const known = await readTyped(registers, ALERTS);
    const now = clock.now();
    const waiting = known?.value.message ?? null;
    if (known === null || waiting === null || waiting.id !== id) return false;
    if (now < waiting.notBefore || now < waiting.claimedUntil) return false;
    const claimed: AlertState = { ...known.value, message: { ...waiting, claimedUntil: now + CLAIM_MS } };
    return (await writeTyped(registers, ALERTS, claimed, known.version)) !== null;
  }

  #afterFailure(failed: Message, answer: Extract<WebhookAnswer, { ok: false }>, now: EpochMs): Message {
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failed.attempts, 20));
    const jittered = pause * (0.5 + this.#deps.random() / 2);
    const notBefore = now + Math.min(MAX_PAUSE_MS, Math.max(jittered, answer.retryAfterMs ?? 0));
    return { ...failed, attempts: failed.attempts + 1, notBefore, claimedUntil: 0 };
  }
}

/** When to tell it: at once what cannot wait, else when nothing has come for a while, or it has waited long enough. */
function ripeAt(fresh: readonly LedgerEntry[], now: EpochMs): EpochMs {
  if (fresh.some((entry) => isUrgent(alertOf(entry) ?? 'drift'))) return now;
  const newest = Date.parse(fresh.at(-1)?.at ?? '');
  const oldest = Date.parse(fresh[0]?.at ?? '');
  return Math.min(newest + QUIET_MS, oldest + MAX_WAIT_MS);
}

/** 48 bits: thousands of ids fit into a register, and two of a few minutes are not taken for one. */
function shortOf(id: string): string {
  return sha256Hex(id).slice(0, 12);
}
