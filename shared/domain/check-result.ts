/** `warn`: Rollcall works, but worse or not for long. `skipped`: there was nothing to check, or no way to check it. */
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** Why a check did not pass, for scripts. */
export type CheckReason =
  /** Nothing answered, or the answer did not come from an AWS service. */
  | 'unreachable'
  /** The service is throttling or temporarily failing. */
  | 'unavailable'
  /** The check took too long. */
  | 'timeout'
  /** The caller lacks a permission. */
  | 'denied'
  /** The credentials were rejected, or there are none. */
  | 'unauthenticated'
  /** A requirement does not exist, or is not enabled. */
  | 'missing'
  /** A requirement exists but is set up incorrectly. */
  | 'wrong'
  /** A check that this one depends on did not pass. */
  | 'notReached'
  /** This runtime or policy does not use what the check examines. */
  | 'notUsed';

export interface CheckResult {
  readonly status: CheckStatus;
  /** `null` for `pass`. */
  readonly reason: CheckReason | null;
  /** The finding, in one or two sentences. */
  readonly message: string;
  /** Shell commands that fix the problem, with the real ids. If there is no such command, `message` says what to do. */
  readonly fix: readonly string[];
}

export const pass = (message: string): CheckResult => ({ status: 'pass', reason: null, message, fix: [] });

const resultWith =
  (status: CheckStatus) =>
  (reason: CheckReason, message: string, fix: readonly string[] = []): CheckResult => {
    return { status, reason, message, fix };
  };
export const skipped = resultWith('skipped');
export const warn = resultWith('warn');
export const fail = resultWith('fail');

/** The number of checks by status. */
export function tally(findings: readonly Pick<CheckResult, 'status'>[]): Readonly<Record<CheckStatus, number>> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 };
  for (const { status } of findings) counts[status] += 1;
  return counts;
}

/** Quotes a text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
