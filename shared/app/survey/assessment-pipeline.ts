import type { AccountId } from '../../domain/enrollment/model.ts';
import type { ListedEnrollment, Observed } from '../../ports/cloud.ts';
import type { Records } from '../../ports/records.ts';
import type { AssessmentTable, Judged } from './assessment-table.ts';
import type { Listings } from './observations.ts';
import type { Listing } from './paged-listing.ts';

/** Accounts judged at a time: their records are in memory together. */
const CHUNK = 100;

/**
 * Judges, beside the listing that brings them, the accounts of each page, and hands on what the ledger has to learn. Pages that come
 * before the desk is laid wait; while one batch is judged and recorded, those of further pages gather to the next.
 */
export class AssessmentPipeline {
  readonly #records: Pick<Records, 'getMany'>;
  readonly #record: ((news: readonly Judged[]) => Promise<void>) | null;
  #desk: AssessmentTable | null = null;
  #automation: Listing | null = null;
  #seen: ReadonlyMap<AccountId, Observed> = new Map();
  #waiting: AccountId[] = [];
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(records: Pick<Records, 'getMany'>, record: ((news: readonly Judged[]) => Promise<void>) | null) {
    this.#records = records;
    this.#record = record;
  }

  /** From here on pages are judged; `automation` is the whole of the other listing. */
  begin(desk: AssessmentTable, automation: Listing | null): void {
    this.#desk = desk;
    this.#automation = automation;
    this.#start();
  }

  /** Another page. `seen` is all that the listing gave so far. */
  add(fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>): void {
    this.#seen = seen;
    for (const { accountId } of fresh) this.#waiting.push(accountId);
    this.#start();
  }

  /** Nothing more is judged or recorded. */
  abandon(): void {
    this.#desk = null;
    this.#waiting = [];
  }

  /** Waits until everything that was added is judged. @throws what broke it. */
  async end(enrolled: Listing): Promise<Listings> {
    while (this.#running !== null) await this.#running;
    if (this.#failure !== null) throw this.#failure.error;
    return { computeOptimizer: enrolled, automation: this.#automation };
  }

  async judge(accountIds: readonly AccountId[], listings: Listings): Promise<void> {
    const desk = this.#desk;
    if (desk === null) throw new Error('judged before there was a desk');
    for (let at = 0; at < accountIds.length; at += CHUNK) {
      const ids = accountIds.slice(at, at + CHUNK);
      desk.judge(ids, listings, await this.#records.getMany(ids));
      if (this.#record !== null) await this.#record(desk.takeNews(false));
    }
  }

  #start(): void {
    if (this.#desk === null || this.#running !== null || this.#failure !== null) return;
    this.#running = this.#run()
      .catch((error: unknown) => {
        // Nobody awaits it before the listing has ended, and an error must not end the process until then.
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const ids = this.#waiting;
      this.#waiting = [];
      const computeOptimizer = { seen: this.#seen, brokenBy: null };
      await this.judge(ids, { computeOptimizer, automation: this.#automation });
    }
  }
}
