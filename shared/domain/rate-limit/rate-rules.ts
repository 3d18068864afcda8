/** How the rate of one operation adapts to what its service accepts. Rates in calls a second. */
export interface RateRules {
  /** The highest rate. */
  readonly ceiling: number;
  /** The rate of a bucket without history. */
  readonly start: number;
  /** The factor by which the rate grows in a second while no limit is known. */
  readonly growth: number;
  /** The share of a known limit that is used between two attempts to find a higher one. The rest is for other callers. */
  readonly use: number;
  /** How long after a cut the next attempt to find a higher limit begins, ms. */
  readonly holdMs: number;
  /** Whether the rate grows only while calls wait for slots. Otherwise a rate that was never reached would count as accepted. */
  readonly onlyInDemand: boolean;
  /** Throttling counts as unrelated to the rate only if it continues when the rate of calls is at most this share of the earlier rate. */
  readonly slower: number;
  /** A known limit is out of date once the rate exceeds it by this factor. */
  readonly outdated: number;
}

/** Under a fixed total budget, an operation may use all that its service accepts. */
const FULL_USE = { growth: 2, use: 0.98, holdMs: 4_000 };

/**
 * A bucket under a fixed total starts at this rate, or at a tenth of the total if that is more, and doubles each second: fast enough to find a limit,
 * slow enough not to overrun it.
 */
const START_RATE = 20;

/** The rules of every operation under a fixed total budget of `ceiling` calls a second. */
export function fixedRules(ceiling: number): RateRules {
  const start = Math.min(Math.max(START_RATE, ceiling / 10), ceiling);
  return { ...FULL_USE, ceiling, start, onlyInDemand: false, slower: 0.8, outdated: Number.POSITIVE_INFINITY };
}

/** An operation that has reached this rate without throttling is not paced any further. */
const UNPACED = 1_000;

/** The share of a quota that Rollcall uses in the caller's account, which other tools use too. */
const OWN_SHARE = 0.8;

/** STS accepts 600 requests a second from an account in a Region, for all its operations together [IAM and AWS STS quotas]. */
const STS_QUOTA = 600;

export interface MeteredOperation {
  /** The service's signing name. */
  readonly service: string;
  /** The account whose quota a call counts against: the caller's own, or the member whose role signs the call. */
  readonly meteredIn: 'caller' | 'member';
}

/** The rules of an operation without a fixed total budget (`limits.callsPerSecond: auto`). */
export function autoRules({ service, meteredIn }: MeteredOperation): RateRules {
  const common = { onlyInDemand: true, slower: 0.5, outdated: 3 };
  // Each member has its own quota. AWS may also limit the calls of an organization as a whole; only throttling shows that.
  if (meteredIn === 'member') return { ...common, ceiling: UNPACED, start: 50, growth: 2, use: 0.9, holdMs: 30_000 };
  const ceiling = OWN_SHARE * (service === 'sts' ? STS_QUOTA : UNPACED);
  return { ...common, ceiling, start: 20, growth: 1.5, use: OWN_SHARE, holdMs: 60_000 };
}
