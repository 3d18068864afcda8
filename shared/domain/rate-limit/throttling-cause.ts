/** Answers to calls that were made at about the same rate. */
export interface ThrottlingSample {
  readonly answers: number;
  /** How many of them were throttled. */
  readonly throttled: number;
  /** Calls a second. */
  readonly rate: number;
}

/** Above this share of throttled answers, a limit is assumed. */
const MOST_INDEPENDENT = 0.35;
/**
 * Throttling counts as independent of the rate only if the answers are this many times as likely without a limit as under one. Limits are the usual
 * cause. To mistake one for chance costs a throttled call for each call above the limit until the mistake is noticed; the opposite mistake costs one
 * more cut.
 */
const ODDS = 3;

/**
 * Whether the throttling seems unrelated to the rate of calls, judged by samples before and after the rate was cut. A service that refuses at random
 * refuses the same share at any rate. Under a limit of L calls a second, L / rate of the calls succeed. Both hypotheses are compared at the share and
 * the L that fit both samples best, because a few answers say little about L: an L from the first sample alone may be so high that it predicts no
 * throttling in the second one.
 *
 * A share that grew a lot is neither: the service's burst allowance has been used up since the first sample.
 */
export function isIndependent(before: ThrottlingSample, after: ThrottlingSample): boolean {
  const share = after.throttled / after.answers;
  if (share > MOST_INDEPENDENT || share > (2 * before.throttled) / before.answers + 0.1) return false;
  const common = (before.throttled + after.throttled) / (before.answers + after.answers);
  const limit = likeliestLimit(before, after);
  const atRandom = logLikelihood(before, common) + logLikelihood(after, common);
  const underLimit = logLikelihood(before, 1 - limit / before.rate) + logLikelihood(after, 1 - limit / after.rate);
  return atRandom - underLimit > Math.log(ODDS);
}

/** Of a sample, if each call is throttled with this probability. */
function logLikelihood({ answers, throttled }: ThrottlingSample, probability: number): number {
  const accepted = answers - throttled;
  return weighted(throttled, probability) + weighted(accepted, 1 - probability);
}

const weighted = (count: number, probability: number): number => (count === 0 ? 0 : count * Math.log(probability));

/**
 * The limit under which both samples are most likely, calls a second; below both rates, because calls were throttled at both. The derivative of the
 * log-likelihood is zero where accepted / L = throttled₁ / (rate₁ − L) + throttled₂ / (rate₂ − L), which is a quadratic equation.
 */
function likeliestLimit(one: ThrottlingSample, two: ThrottlingSample): number {
  const answers = one.answers + two.answers;
  const accepted = answers - one.throttled - two.throttled;
  const b = accepted * (one.rate + two.rate) + one.throttled * two.rate + two.throttled * one.rate;
  const c = accepted * one.rate * two.rate;
  return (2 * c) / (b + Math.sqrt(b * b - 4 * answers * c));
}
