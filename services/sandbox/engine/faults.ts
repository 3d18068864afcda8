import type { Random } from './random.ts';
import { roleAccount } from './role-arn.ts';
import type { Output, ServiceName } from './types.ts';

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

/** Numbers the matching calls from 1, and affects those from `from` to `from + count - 1`, each with `probability`. */
export type Fault = {
  service?: ServiceName | undefined;
  operation?: string | undefined;
  /** The calling account; also the role's account for AssumeRole, and the requested account for ListTagsForResource and DescribeAccount. */
  accountId?: string | undefined;
  kind: FaultKind;
  probability?: number | undefined;
  from?: number | undefined;
  count?: number | undefined;
  /** Delay for the kind `slow`, ms; default 1000. */
  delayMs?: number | undefined;
  /** A documented error code to return instead of the kind's default. */
  code?: string | undefined;
};

export type PageFault = 'empty-page' | 'torn-page';
/** A successful response with no member, only null members, or no body at all, as a broken proxy could return it. */
export type HollowFault = 'empty-answer' | 'null-answer' | 'empty-body';
type ErrorFault = { kind: 'throttle' | 'unavailable' | 'internal' | 'denied'; code: string | undefined };
/** The combined effect of all faults on one call. The first error fault decides the error. */
export type FaultEffect = {
  error: ErrorFault | null;
  reset: boolean;
  page: PageFault | null;
  hollow: HollowFault | null;
  delayMs: number;
};

const NONE: FaultEffect = Object.freeze({ error: null, reset: false, page: null, hollow: null, delayMs: 0 });
const DEFAULT_DELAY_MS = 1000;

export class Faults {
  readonly #faults: readonly { fault: Fault; seen: number }[];
  readonly #random: Random;

  constructor(faults: readonly Fault[], random: Random) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0 }));
    this.#random = random;
  }

  /** Counts the call for every fault that it matches. @param accounts the accounts that the call concerns */
  effectOn(service: ServiceName, operation: string, accounts: readonly string[]): FaultEffect {
    if (this.#faults.length === 0) return NONE;
    const effect = { ...NONE };
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (!matches(fault, service, operation, accounts)) continue;
      entry.seen += 1;
      const from = fault.from ?? 1;
      if (entry.seen < from || entry.seen >= from + (fault.count ?? Number.POSITIVE_INFINITY)) continue;
      const probability = fault.probability ?? 1;
      if (probability < 1 && this.#random() >= probability) continue;
      apply(effect, fault);
    }
    return effect;
  }
}

/** The accounts that a request concerns, other than the caller's. */
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

function apply(effect: FaultEffect, fault: Fault): void {
  switch (fault.kind) {
    case 'slow':
      effect.delayMs += fault.delayMs ?? DEFAULT_DELAY_MS;
      return;
    case 'reset':
      effect.reset = true;
      return;
    case 'empty-page':
    case 'torn-page':
      effect.page ??= fault.kind;
      return;
    case 'empty-answer':
    case 'null-answer':
    case 'empty-body':
      effect.hollow ??= fault.kind;
      return;
    default:
      effect.error ??= { kind: fault.kind, code: fault.code };
  }
}

/** The output of a hollow response; `null`: no body. */
export function hollowed(output: Output, hollow: HollowFault): Output | null {
  if (hollow === 'empty-body') return null;
  const names = hollow === 'null-answer' ? Object.keys(output) : [];
  return Object.fromEntries(names.map((name) => [name, null]));
}
