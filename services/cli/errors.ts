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

/** Something the user asked for cannot be done; the message says what to do instead. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A policy that must not be used. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly findings: readonly Finding[];

  constructor(file: string, findings: readonly Finding[]) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    super(`${file} has ${errors === 1 ? '1 error' : `${errors} errors`}; nothing was done`);
    this.findings = findings;
  }
}

/** What a user is told of an error. The shape of `{"error":…}`. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly findings?: readonly Finding[];
}

/** Puts any error into a code and a sentence or two; nothing here is a stack trace. */
export function tell(error: unknown): ToldError {
  if (error instanceof PolicyError) {
    return { code: 'PolicyInvalid', message: error.message, findings: error.findings };
  }
  if (error instanceof CommanderError) return { code: 'Usage', message: usage(error) };
  if (error instanceof CommandError || error instanceof ConfigError)
    return { code: error.code, message: error.message };
  if (error instanceof FileError) return { code: 'FileError', message: error.message };
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  if (error instanceof ClockDifferenceError) return { code: error.code, message: `${capitalized(error.message)}.` };
  if (error instanceof OtherOrganizationError) return { code: error.code, message: error.message };
  if (error instanceof DamagedRegisterError) return { code: 'Corrupt', message: `${error.message}.` };
  if (error instanceof TamperedError) {
    const advice = '`rollcall audit verify` says what else was changed; restore a backup from before.';
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
  const advice = 'This is a defect of Rollcall; --verbose shows where it happened.';
  return { code: 'Internal', message: `Unexpected: ${message}. ${advice}` };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** For people: the findings, then the sentence. */
export function toldLines({ message, findings }: ToldError): string[] {
  return [...(findings ?? []).map(formatFinding), `error: ${oneLine(message)}`];
}

/** AWS refuses a signature for a Region of another partition, or of none, in the same words as a wrong key. */
const MAY_BE_REGION: ReadonlySet<string> = new Set([
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
]);

/** What is read page by page. */
const LISTINGS: ReadonlySet<string> = new Set([
  'ListAccounts',
  'ListOrganizationalUnitsForParent',
  'GetEnrollmentStatusesForOrganization',
]);

/** What was wrong before anything was sent says so itself. */
const NEVER_SENT: ReadonlySet<string> = new Set(['RegionMissing', 'RegionMalformed', 'ERR_INVALID_URL']);

function moreAdvice({ details: facts }: CloudError): string {
  if (MAY_BE_REGION.has(facts.code)) {
    return ' Credentials hold in one partition only, so check the Region (AWS_REGION) as well.';
  }
  const told = NEVER_SENT.has(facts.code);
  if (facts.kind === 'Invalid' && facts.operation === 'GetCallerIdentity' && facts.requestId === null && !told) {
    return ' If AWS_ENDPOINT_URL is set, check it: what answers there may be no AWS service.';
  }
  // Of what we send with these only the token of the page can be refused.
  if (facts.kind === 'Invalid' && LISTINGS.has(facts.operation) && facts.requestId !== null) {
    return ' The listing broke off, so nothing was concluded from it: run it again.';
  }
  if (facts.kind === 'Throttled') {
    return ' It was tried again for a while: wait for what else calls AWS for this organization to end, then run it again.';
  }
  return facts.kind === 'Transient' && facts.requestId !== null
    ? ' It was tried again for a while: run it again later.'
    : '';
}

/** Commander's words on one line; it puts its guess at what was meant on a second. */
function usage(error: CommanderError): string {
  if (error.code === 'commander.help') return 'A command is missing. See rollcall --help.';
  const words = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return `${/[.!?)]$/.test(words) ? words : `${words}.`} See rollcall --help.`;
}
