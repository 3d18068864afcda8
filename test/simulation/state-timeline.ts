import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Facet } from '../../shared/domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { accountIdsIn } from './coverage-checker.ts';
import type { Request } from './engine-cloud.ts';
import type { Process } from './process.ts';

/**
 * The largest age of a recorded observation: an interrupted scan resumes while its first answer is less than 30 minutes old, and its
 * function then has 15 minutes to record the results.
 */
const STALE_MS = 45 * 60_000;
/** A run records only its own observations, but a batch may be assessed by a listing that is a minute older. */
const LISTING_AGE_MS = 60_000;

type Output = Readonly<Record<string, unknown>>;

interface Seen {
  readonly status: string;
  readonly from: number;
}

/** Records the true states over time. Each observation in an entry must match a state that existed. */
export class StateTimeline {
  readonly #sandbox: Sandbox;
  readonly #now: () => number;
  readonly #clocksMs: number;
  readonly #history = new Map<string, Seen[]>();
  readonly #known = new Set<AccountId>();
  /** The accounts of the organization when it was last observed. */
  #present: ReadonlySet<AccountId> = new Set();
  /** When each account was last missing from the organization. */
  readonly #missing = new Map<AccountId, number>();
  /** When each account last left the organization. */
  readonly #left = new Map<AccountId, number>();
  /** When a listing of Compute Optimizer last named each account to each process. */
  readonly #listed = new Map<Pick<Process, 'alive'>, Map<AccountId, number>>();
  /** When the last change of each account and kind was recorded as accepted. */
  readonly #accepted = new Map<string, number>();

  /** @param clocksMs how much the clocks of two processes may differ */
  constructor(sandbox: Sandbox, now: () => number, clocksMs: number) {
    this.#sandbox = sandbox;
    this.#now = now;
    this.#clocksMs = clocksMs;
  }

  /** Call before and after everything that may change the true state. */
  observe(): void {
    const from = this.#now();
    const accounts = this.#sandbox.accounts();
    const present = new Set(accounts.map(({ accountId }) => accountId));
    for (const id of this.#known) {
      if (present.has(id)) continue;
      // An account that comes back and leaves again has a later departure.
      if (this.#present.has(id)) this.#left.set(id, from);
      this.#missing.set(id, from);
    }
    this.#present = present;
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

  /** A process has received a response. */
  answered({ operation }: Pick<Request, 'operation'>, output: Output, by: Pick<Process, 'alive'>): void {
    if (operation !== 'GetEnrollmentStatusesForOrganization') return;
    const times = this.#listed.get(by) ?? new Map<AccountId, number>();
    for (const id of accountIdsIn(output['accountEnrollmentStatuses'])) times.set(id, this.#now());
    this.#listed.set(by, times);
  }

  /** Call when a backup made at `takenAt` has replaced the store. Rollcall then no longer knows of changes that were recorded later. */
  restored(takenAt: number): void {
    for (const [key, at] of this.#accepted) if (at > takenAt) this.#accepted.delete(key);
  }

  /** Whether an entry claims that an account has left although it was present all the time. */
  reportsFalseDeparture({ type, accountId }: LedgerEntry): boolean {
    if (type !== 'AccountLeft' || accountId === null) return false;
    this.observe();
    const missing = this.#missing.get(accountId) ?? Number.NEGATIVE_INFINITY;
    return this.#known.has(accountId) && this.#now() - missing > STALE_MS;
  }

  /** The observation in an entry that was never true, or `null`. `runStartedAt`: when the scan of its run started, if it had one. */
  falseObservation(
    { type, accountId, enrollment, after, detail }: LedgerEntry,
    runStartedAt: number | null,
  ): string | null {
    if (accountId === null) return null;
    if (type === 'RemediationSucceeded') this.#accepted.set(`${accountId} ${enrollment}`, this.#now());
    const facets = type === 'AccountJoined' ? { ...detail?.facets } : {};
    const since = Math.max(this.#now() - STALE_MS, (runStartedAt ?? Number.NEGATIVE_INFINITY) - LISTING_AGE_MS);
    // Entries of other types repeat earlier observations.
    if (enrollment !== null && after !== null && type !== 'RemediationSucceeded') facets[enrollment] = after;
    for (const each of ENROLLMENT_IDS) {
      const facet = facets[each];
      const observes = facet?.verdict === 'Compliant' || type === 'DriftDetected';
      if (facet === undefined || facet.status === null || !observes) continue;
      this.observe();
      if (isAbsence(each, facet) && this.#wasNotListed(accountId, each, since)) continue;
      // A change is confirmed only by an observation that began after it. Processes compare the two by their clocks, which differ more in some histories than
      // a process with a wrong clock would get past its rate limiter.
      const accepted = this.#accepted.get(`${accountId} ${each}`) ?? Number.NEGATIVE_INFINITY;
      const confirmed = Math.max(since, accepted - this.#clocksMs);
      if (!this.#was(accountId, each, facet.status, confirmed)) return `${each} ${facet.status} (${facet.verdict})`;
    }
    return null;
  }

  /** Whether AWS's listing for this kind lacked the account at some time since `since`, whatever the status of the account was. */
  #wasNotListed(accountId: AccountId, enrollment: EnrollmentId, since: number): boolean {
    // An account can leave the organization between the listing of Compute Optimizer and the one for this kind. Its departure is recorded next.
    // An account that left before both is in neither, so its status is unknown.
    const left = this.#left.get(accountId) ?? Number.NEGATIVE_INFINITY;
    if (left >= since && this.#wasListed(accountId, since)) return true;
    // AWS lists an account for Automation only while its Compute Optimizer is Active.
    const needsComputeOptimizer = enrollment === 'automation';
    return needsComputeOptimizer && this.#saw(accountId, 'computeOptimizer', since, (status) => status !== 'Active');
  }

  /** Whether a listing of Compute Optimizer has named the account to a process that is still alive and can record its conclusion. */
  #wasListed(accountId: AccountId, since: number): boolean {
    return [...this.#listed].some(
      ([process, times]) => process.alive && (times.get(accountId) ?? Number.NEGATIVE_INFINITY) >= since,
    );
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

/** Whether a status was concluded from a listing that lacked the account. The listing for Compute Optimizer has every account. */
function isAbsence(enrollment: EnrollmentId, { status, lastUpdated }: Facet): boolean {
  return enrollment !== 'computeOptimizer' && status === 'Inactive' && lastUpdated === null;
}
