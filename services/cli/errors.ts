import { CommanderError } from 'commander';
import { ConfigError } from '../../shared/config/config-error.ts';
import { FileError } from '../../shared/config/file-error.ts';
import { type Finding, formatFinding } from '../../shared/domain/policy/file/findings.ts';
import { oneLine } from '../../shared/domain/text.ts';
import { OtherOrganizationError } from '../../shared/ports/binding.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { BadCursorError, TamperedError } from '../../shared/ports/ledger.ts';
import { DamagedRegisterError } from '../../shared/ports/registers.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import { ClockDifferenceError } from '../../shared/ports/store-time.ts';

/** The command cannot do what the user asked for; the message says what to do instead. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The policy has errors, so the command must not use it. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly findings: readonly Finding[];

  constructor(file: string, findings: readonly Finding[]) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    super(`${file} has ${errors === 1 ? '1 error' : `${errors} errors`}; nothing was done`);
    this.findings = findings;
  }
}

/** An error as the user sees it; with `--json`, the value of `error` in the document. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly findings?: readonly Finding[];
}

/** Turns any error into a code and one or two sentences, without a stack trace. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof PolicyError) {
    return { code: 'PolicyInvalid', message: error.message, findings: error.findings };
  }
  if (error instanceof CommanderError) return { code: 'Usage', message: usage(error) };
  if (
    error instanceof CommandError ||
    error instanceof ConfigError ||
    error instanceof StoreError ||
    error instanceof OtherOrganizationError
  )
    return { code: error.code, message: error.message };
  if (error instanceof FileError) return { code: 'FileError', message: error.message };
  if (error instanceof ClockDifferenceError) return { code: error.code, message: `${capitalized(error.message)}.` };
  if (error instanceof DamagedRegisterError) return { code: 'Corrupt', message: `${error.message}.` };
  if (error instanceof TamperedError) {
    const advice = '`rollcall audit verify` shows what else was changed; restore an earlier backup.';
    return { code: 'Tampered', message: `Ledger chain ${error.chain}: ${error.message}. ${advice}` };
  }
  if (error instanceof CloudError) return { code: error.details.code, message: `${error.message}${moreAdvice(error)}` };
  if (error instanceof BadCursorError) {
    return {
      code: 'Usage',
      message:
        '--cursor is invalid: pass the value that `audit list` printed, or omit it to start from the first page.',
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const advice = 'This is a bug in Rollcall; --verbose shows where it happened.';
  return { code: 'Internal', message: `Unexpected: ${message}. ${advice}` };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An error as text: the findings, then the message. */
export function reportLines({ message, findings }: ErrorReport): string[] {
  return [...(findings ?? []).map(formatFinding), `error: ${oneLine(message)}`];
}

/** AWS returns these errors for a wrong key, but also if the Region does not exist or belongs to another partition. */
const MAY_BE_REGION: ReadonlySet<string> = new Set([
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
]);

/** Operations whose answers come in pages. */
const LISTINGS: ReadonlySet<string> = new Set([
  'ListAccounts',
  'ListOrganizationalUnitsForParent',
  'GetEnrollmentStatusesForOrganization',
]);

/** These errors occur before a request is sent, and their messages already name the cause. */
const NEVER_SENT: ReadonlySet<string> = new Set(['RegionMissing', 'RegionMalformed', 'ERR_INVALID_URL']);

function moreAdvice({ details }: CloudError): string {
  const { kind, code, operation, requestId } = details;
  if (MAY_BE_REGION.has(code)) {
    return ' Credentials are valid in one partition only, so check the Region (AWS_REGION) as well.';
  }
  if (kind === 'Invalid' && operation === 'GetCallerIdentity' && requestId === null && !NEVER_SENT.has(code)) {
    return ' If AWS_ENDPOINT_URL is set, check it: the server there may not be an AWS service.';
  }
  // The only parameter of a listing that AWS can reject is its page token, so the listing has expired.
  if (kind === 'Invalid' && LISTINGS.has(operation) && requestId !== null) {
    return ' The listing is incomplete, so it was not used. Run the command again.';
  }
  if (kind === 'Throttled') {
    return ' Rollcall retried the call. Wait until other programs that call AWS for this organization have finished, then run the command again.';
  }
  return kind === 'Transient' && requestId !== null ? ' Rollcall retried the call. Run the command again later.' : '';
}

/** Commander's message on one line; commander puts its suggestion on a second line. */
function usage(error: CommanderError): string {
  if (error.code === 'commander.help') return 'A command is missing. See rollcall --help.';
  const words = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return `${/[.!?)]$/.test(words) ? words : `${words}.`} See rollcall --help.`;
}
