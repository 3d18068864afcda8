/** Default maximum number of accounts in an organization. AWS raises its quota up to this on request [Quotas for AWS Organizations]. */
export const MAX_ACCOUNTS = 10_000;

/** A listing with this many more pages than its items need is treated as endless. */
const MAX_PAGES = 1_000;

export interface PageBoundsOptions {
  /** The minimum number of items on a full page. */
  readonly itemsPerPage: number;
  readonly maxItems: number;
}

export interface TakenPage {
  /** Number of items on this page. */
  readonly items: number;
  /** Number of distinct items on all pages so far. */
  readonly total: number;
  /** The token of the next page; `null` ends the listing. */
  readonly token: string | null;
}

/** Detects a paged listing that does not end: repeated tokens, too many pages, or more items than possible. */
export class PageBounds {
  readonly #options: PageBoundsOptions;
  readonly #tokens = new Set<string>();
  #lastToken: string | null = null;
  #pages = 0;

  constructor(options: PageBoundsOptions) {
    this.#options = options;
  }

  /** Counts a page. @returns why the listing is broken; `null` if it may continue. */
  broken({ items, total, token }: TakenPage): string | null {
    const { itemsPerPage, maxItems } = this.#options;
    this.#pages += 1;
    const found = total === 1 ? '1 item' : `${total} items`;
    if (total > maxItems) return `${found}, but the maximum is ${maxItems}`;
    if (token === null) return null;
    // An empty page may repeat the token of its request. Any other repeated token means that the listing never ends.
    if (this.#tokens.has(token) && (items > 0 || token !== this.#lastToken)) return 'a page token was repeated';
    if (this.#pages - total / itemsPerPage > MAX_PAGES) return `${this.#pages} pages contained ${found}`;
    this.#tokens.add(token);
    this.#lastToken = token;
    return null;
  }
}
