import type { Random } from './random.ts';
import { roleAccount } from './role-arn.ts';
import type { ServiceName } from './types.ts';

export const FAULT_KINDS = [
  'throttle',
  'unavailable',
  'internal',
  'denied',
  'reset',
  'slow',
  'empty-page',
  'torn-page',
  'empty-answer',
  'null-answer',
  'empty-body',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Matching calls number `from` to `from + count - 1` (first call is 1) meet the fault, each with `probability`. */
export type Fault = {
  service?: ServiceName | undefined;
  operation?: string | undefined;
  /** The calling account; for AssumeRole also the account of the role, for ListTagsForResource and DescribeAccount the one asked about. */
  accountId?: string | undefined;
  kind: FaultKind;
  probability?: number | undefined;
  from?: number | undefined;
  count?: number | undefined;
  /** For `slow`; default 1000. */
  delayMs?: number | undefined;
  /** Another documented error code instead of the kind's own. */
  code?: string | undefined;
};

export type PageFault = 'empty-page' | 'torn-page';
/** A successful answer with no member, only null members, or no body at all, as a broken proxy could deliver it. */
export type HollowFault = 'empty-answer' | 'null-answer' | 'empty-body';
type ErrorFault = { kind: 'throttle' | 'unavailable' | 'internal' | 'denied'; code: string | undefined };
/** What all faults together do to one call; the first that answers with an error decides which. */
export type Affliction = {
  error: ErrorFault | null;
  reset: boolean;
  page: PageFault | null;
  hollow: HollowFault | null;
  delayMs: number;
};

const NONE: Affliction = Object.freeze({ error: null, reset: false, page: null, hollow: null, delayMs: 0 });
const DEFAULT_DELAY_MS = 1000;

export class Faults {
  readonly #faults: readonly { fault: Fault; seen: number }[];
  readonly #random: Random;

  constructor(faults: readonly Fault[], random: Random) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0 }));
    this.#random = random;
  }

  /** Counts the call against every fault that it matches and says what befalls it. `accounts` are the ones it concerns. */
  meet(service: ServiceName, operation: string, accounts: readonly string[]): Affliction {
    if (this.#faults.length === 0) return NONE;
    const met = { ...NONE };
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (!matches(fault, service, operation, accounts)) continue;
      entry.seen += 1;
      const from = fault.from ?? 1;
      if (entry.seen < from || entry.seen >= from + (fault.count ?? Number.POSITIVE_INFINITY)) continue;
      const probability = fault.probability ?? 1;
      if (probability < 1 && this.#random() >= probability) continue;
      apply(met, fault);
    }
    return met;
  }
}

/** The accounts, beside the caller's, that a request concerns. */
export function accountsIn(input: Readonly<Record<string, unknown>>): string[] {
  const named = [roleAccount(input['RoleArn']), input['ResourceId'], input['AccountId']];
  return named.filter((each) => typeof each === 'string');
}

function matches(fault: Fault, service: ServiceName, operation: string, accounts: readonly string[]): boolean {
  return (
    (fault.service === undefined || fault.service === service) &&
    (fault.operation === undefined || fault.operation === operation) &&
    (fault.accountId === undefined || accounts.includes(fault.accountId))
  );
}

function apply(met: Affliction, fault: Fault): void {
  switch (fault.kind) {
    case 'slow':
      met.delayMs += fault.delayMs ?? DEFAULT_DELAY_MS;
      return;
    case 'reset':
      met.reset = true;
      return;
    case 'empty-page':
    case 'torn-page':
      met.page ??= fault.kind;
      return;
    case 'empty-answer':
    case 'null-answer':
    case 'empty-body':
      met.hollow ??= fault.kind;
      return;
    default:
      met.error ??= { kind: fault.kind, code: fault.code };
  }
}
