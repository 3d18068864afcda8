import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';

/** The calls of an activity. SQS requests are only those of the functions, without Lambda's pollers. */
export interface Calls {
  /** DynamoDB request units. */
  readonly reads: number;
  readonly writes: number;
  /** Requests to SQS. */
  readonly sqs: number;
  /** Events put on a bus. */
  readonly events: number;
  /** Calls to the enrollment services, Organizations and STS. They are free, but take the function's time. */
  readonly calls: number;
  /** Batches that a worker received. */
  readonly batches: number;
}

/** The part of one enrollment kind. That of the first kind contains what does not depend on kinds; the others have what they add. */
export interface KindCalls {
  /** A scan that finds no changes, without the ticks during it. */
  readonly scan: ScanCalls;
  /** Additional calls of the first scan, per account. */
  readonly joined: Calls;
  /** The remediation of one account, from its drift to the last published entry. */
  readonly change: Calls;
  /** Its part of an account's record. */
  readonly recordKb: number;
}

export interface Measured {
  /** An idle tick: the average over most of an hour. */
  readonly tick: Calls;
  readonly kinds: Readonly<Record<EnrollmentId, KindCalls>>;
  /** What a scan adds if a rule of the policy matches tags. */
  readonly tagRule: ScanCalls;
}

export interface ScanCalls {
  readonly base: Calls;
  readonly perAccount: Calls;
}

/** The sum of several counts. */
export function sum(...parts: readonly (readonly [calls: Calls, factor: number])[]): Calls {
  const of = (name: keyof Calls): number => parts.reduce((all, [calls, factor]) => all + calls[name] * factor, 0);
  return {
    ...{ reads: of('reads'), writes: of('writes'), sqs: of('sqs'), events: of('events') },
    ...{ calls: of('calls'), batches: of('batches') },
  };
}

/** The difference of two measurements can be slightly below zero, because the limiter's calls depend on timing. */
export const hundredths = (value: number): number => Math.max(0, Math.round(value * 100) / 100);

/** The same for calls per account: a hundredth of a unit would be 100 units in a scan of 10,000 accounts. */
const thousandths = (value: number): number => Math.max(0, Math.round(value * 1_000) / 1_000);

export function rounded(calls: Calls, round = hundredths): Calls {
  const of = (name: keyof Calls): number => round(calls[name]);
  return {
    ...{ reads: of('reads'), writes: of('writes'), sqs: of('sqs'), events: of('events') },
    ...{ calls: of('calls'), batches: of('batches') },
  };
}

export const roundedScan = ({ base, perAccount }: ScanCalls): ScanCalls => ({
  base: rounded(base),
  perAccount: rounded(perAccount, thousandths),
});
