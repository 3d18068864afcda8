/** What `doctor` finds: one result a check, each with the command that mends it. */

/** Every check there is, in the order in which they are shown. */
export const CHECKS = [
  'policy',
  'network',
  'region',
  'credentials',
  'organization',
  'delegatedAdministrator',
  'trustedAccess',
  'computeOptimizer',
  'automation',
  'serviceLinkedRoles',
  'memberRole',
  'dataDirectory',
  'database',
  'writeAheadLog',
  'disk',
  'table',
  'clock',
  'queue',
  'storeOrganization',
  'bus',
  'outbox',
] as const;
export type CheckId = (typeof CHECKS)[number];

/** `warn`: Rollcall works, but less well or not for long. `skipped`: there was nothing to look at, or no way to. */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** Why a check did not pass, for scripts. */
export type CheckReason =
  /** Nothing answered, or nothing that is an AWS service. */
  | 'unreachable'
  /** It answered that it cannot answer now: throttled, out of order. */
  | 'unavailable'
  /** It took longer than a check may. */
  | 'timeout'
  /** Whoever asks may not. */
  | 'denied'
  /** The credentials themselves were refused, or there are none. */
  | 'unauthenticated'
  /** What is needed is not there, or not switched on. */
  | 'missing'
  /** It is there and is not as it has to be. */
  | 'wrong'
  /** A check that this one builds on did not pass. */
  | 'notReached'
  /** This runtime, or this policy, does not use it. */
  | 'notUsed';

export interface CheckResult {
  readonly status: CheckStatus;
  /** `null` for `pass`. */
  readonly reason: CheckReason | null;
  /** What was found, in a sentence or two. */
  readonly message: string;
  /** Shell commands that mend it, with the real ids in them; what has no command says in `message` what to do. */
  readonly mend: readonly string[];
}

/** The shape of an element of `doctor --json`'s `checks`. */
export interface Finding extends CheckResult {
  readonly check: CheckId;
  readonly durationMs: number;
}

export const pass = (message: string): CheckResult => ({ status: 'pass', reason: null, message, mend: [] });

export const skipped = (reason: CheckReason, message: string, mend: readonly string[] = []): CheckResult => ({
  ...{ status: 'skipped', reason, message, mend },
});

export const warn = (reason: CheckReason, message: string, mend: readonly string[] = []): CheckResult => ({
  ...{ status: 'warn', reason, message, mend },
});

export const fail = (reason: CheckReason, message: string, mend: readonly string[] = []): CheckResult => ({
  ...{ status: 'fail', reason, message, mend },
});

/** How many checks ended how. */
export function tally(findings: readonly Finding[]): Readonly<Record<CheckStatus, number>> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 };
  for (const { status } of findings) counts[status] += 1;
  return counts;
}

/** A text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
