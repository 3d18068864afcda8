import { byKind } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { ListedEnrollment, Observed } from '../../ports/cloud.ts';
import type { RecordsView } from '../../ports/records.ts';
import type { AssessedAccount, AssessmentTable } from './assessment-table.ts';
import { LEADING_KIND, type Listings } from './observations.ts';
import type { Listing } from './paged-listing.ts';

/** Number of accounts that are assessed together, with their records in memory. */
const CHUNK = 100;

type RecordAccounts = (accounts: readonly AssessedAccount[]) => Promise<void>;

/**
 * Assesses the accounts of each listing page while the next page is fetched, and records changes. Accounts that arrive before
 * {@link begin}, or while others are assessed, wait.
 */
export class AssessmentPipeline {
  readonly #record: RecordAccounts | null;
  #table: AssessmentTable | null = null;
  #records: Pick<RecordsView, 'getMany'> | null = null;
  #others: Listings = byKind(() => null);
  #seen: ReadonlyMap<AccountId, Observed> = new Map();
  #waiting: AccountId[] = [];
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(record: RecordAccounts | null) {
    this.#record = record;
  }

  /** Starts assessing pages. `others` are the complete listings beside the leading one. */
  begin(table: AssessmentTable, others: Listings, records: Pick<RecordsView, 'getMany'>): void {
    this.#table = table;
    this.#records = records;
    this.#others = others;
    this.#start();
  }

  /** Adds a page. `seen` is everything that the listing has returned so far. */
  add(fresh: readonly ListedEnrollment[], seen: ReadonlyMap<AccountId, Observed>): void {
    this.#seen = seen;
    for (const { accountId } of fresh) this.#waiting.push(accountId);
    this.#start();
  }

  /** Stops assessing and recording. */
  abandon(): void {
    this.#table = null;
    this.#waiting = [];
  }

  /** Waits until every added page is assessed. @throws the first error of the pipeline. */
  async end(enrolled: Listing): Promise<Listings> {
    while (this.#running !== null) await this.#running;
    if (this.#failure !== null) throw this.#failure.error;
    return withLeading(this.#others, enrolled);
  }

  async assess(accountIds: readonly AccountId[], listings: Listings): Promise<void> {
    const table = this.#table;
    const records = this.#records;
    if (table === null || records === null) throw new Error('assess() was called before begin()');
    for (let at = 0; at < accountIds.length; at += CHUNK) {
      const ids = accountIds.slice(at, at + CHUNK);
      table.assess(ids, listings, await records.getMany(ids));
      if (this.#record !== null) await this.#record(table.takeUnrecorded(false));
    }
  }

  #start(): void {
    if (this.#table === null || this.#running !== null || this.#failure !== null) return;
    this.#running = this.#run()
      .catch((error: unknown) => {
        // Nobody awaits the promise until the listing ends. Without this handler, a rejection would end the process.
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
      await this.assess(ids, withLeading(this.#others, { seen: this.#seen, brokenBy: null }));
    }
  }
}

export function withLeading(others: Listings, leading: Listing): Listings {
  return { ...others, [LEADING_KIND]: leading };
}
