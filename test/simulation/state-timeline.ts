import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';

/**
 * What is recorded as seen was so at most this long ago: a scan that was interrupted is gone on with while the first of its answers is less
 * than half an hour old, and then it has a function's quarter of an hour to record what it makes of them.
 */
const STALE_MS = 45 * 60_000;
/** What is recorded in a run was asked for in that run; but a batch of it may be judged by a listing that is a minute older. */
const LISTING_AGE_MS = 60_000;

interface Seen {
  readonly status: string;
  readonly from: number;
}

/** Remembers what was true: what an entry says was seen must have been there. */
export class Witness {
  readonly #sandbox: Sandbox;
  readonly #now: () => number;
  readonly #history = new Map<string, Seen[]>();
  readonly #known = new Set<AccountId>();
  /** When each account was last seen to be missing from the organization. */
  readonly #missing = new Map<AccountId, number>();

  constructor(sandbox: Sandbox, now: () => number) {
    this.#sandbox = sandbox;
    this.#now = now;
  }

  /** To be called before and after everything that may change the truth. */
  look(): void {
    const from = this.#now();
    const accounts = this.#sandbox.accounts();
    const present = new Set(accounts.map(({ accountId }) => accountId));
    for (const id of this.#known) if (!present.has(id)) this.#missing.set(id, from);
    for (const account of accounts) {
      this.#known.add(account.accountId);
      for (const enrollment of ENROLLMENT_IDS) {
        const key = `${account.accountId} ${enrollment}`;
        const seen = this.#history.get(key) ?? [];
        const { status } = account[enrollment];
        if (seen.at(-1)?.status !== status) seen.push({ status, from });
        this.#history.set(key, seen);
      }
    }
  }

  /** Whether an entry says of an account that it has left although it has been there all the time. */
  neverLeft({ type, accountId }: LedgerEntry): boolean {
    if (type !== 'AccountLeft' || accountId === null) return false;
    this.look();
    const missing = this.#missing.get(accountId) ?? Number.NEGATIVE_INFINITY;
    return this.#known.has(accountId) && this.#now() - missing > STALE_MS;
  }

  /** What an entry says was observed and never was; `null`: nothing. `runBegan`: when the scan of its run began, if there was one. */
  untrue({ type, accountId, enrollment, after, detail }: LedgerEntry, runBegan: number | null): string | null {
    if (accountId === null) return null;
    const facets = type === 'AccountJoined' ? { ...detail?.facets } : {};
    const since = Math.max(this.#now() - STALE_MS, (runBegan ?? Number.NEGATIVE_INFINITY) - LISTING_AGE_MS);
    // Others repeat what was seen before.
    if (enrollment !== null && after !== null && type !== 'RemediationSucceeded') facets[enrollment] = after;
    for (const each of ENROLLMENT_IDS) {
      const facet = facets[each];
      const observes = facet?.verdict === 'Compliant' || type === 'DriftDetected';
      if (facet === undefined || facet.status === null || !observes) continue;
      this.look();
      // AWS lists nobody for Automation whose Compute Optimizer is not Active, whatever it will be once that is Active again.
      const absent = each === 'automation' && facet.status === 'Inactive' && facet.lastUpdated === null;
      if (absent && this.#saw(accountId, 'computeOptimizer', since, (status) => status !== 'Active')) continue;
      if (!this.#was(accountId, each, facet.status, since)) return `${each} ${facet.status} (${facet.verdict})`;
    }
    return null;
  }

  #was(accountId: AccountId, enrollment: EnrollmentId, status: string, since: number): boolean {
    return this.#saw(accountId, enrollment, since, (each) => each === status);
  }

  #saw(accountId: AccountId, enrollment: string, since: number, fits: (status: string) => boolean): boolean {
    const seen = this.#history.get(`${accountId} ${enrollment}`) ?? [];
    return seen.some(
      (each, index) => fits(each.status) && (seen[index + 1]?.from ?? Number.POSITIVE_INFINITY) >= since,
    );
  }
}
