import { OutdatedPolicyError } from '../../shared/app/coordination/outdated-policy-error.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import { FileError } from '../../shared/config/file-error.ts';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import { oneLine } from '../../shared/domain/text.ts';
import { MalformedError, UnprovenError } from '../../shared/domain/transparency/errors.ts';
import { OtherOrganizationError } from '../../shared/ports/binding.ts';
import { SignerError } from '../../shared/ports/checkpoint-signer.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { BadCursorError, TamperedError } from '../../shared/ports/ledger.ts';
import { DamagedRegisterError } from '../../shared/ports/registers.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import { ClockDifferenceError } from '../../shared/ports/store-time.ts';
import { adviceFor, type Surroundings } from './error-advice.ts';
import { sourceLine } from './source-line.ts';
import { findingText } from './ui/finding-text.ts';
import { hang } from './ui/wrap.ts';
import { UsageError } from './usage-error.ts';

/** The command cannot do what the user asked for; the message says what to do instead. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;

  /** Facts, then the fix, each on a line of its own. With hints, the message has no full stop. */
  readonly hints: readonly string[];

  constructor(
    code: string,
    message: string,
    { hints = [], ...options }: ErrorOptions & { readonly hints?: readonly string[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.hints = hints;
  }
}

/** The policy has errors, so the command must not use it. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly file: string;
  readonly findings: readonly Finding[];
  /** The message for a command that continues without the policy. */
  readonly problem: string;

  constructor(file: string, findings: readonly Finding[]) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const problem = `${file} has ${errors === 1 ? '1 error' : `${errors} errors`}`;
    super(`${problem}; nothing was done`);
    this.file = file;
    this.problem = problem;
    this.findings = findings;
  }
}

/** An error as the user sees it. */
export interface ErrorReport extends ErrorDocument {
  /** For people: what happened in one sentence, then facts and the fix on lines of their own. Default: the message as a whole. */
  readonly shown?: { readonly headline: string; readonly hints: readonly string[] };
}

/** With `--output json`, the value of `error` in the document. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly findings?: readonly Finding[];
}

export function documentOf({ code, message, findings }: ErrorReport): ErrorDocument {
  return { code, message, ...(findings !== undefined && { findings }) };
}

/** A report whose hints stand on lines of their own. */
function report(code: string, headline: string, hints: readonly string[]): ErrorReport {
  return { code, message: [`${headline}.`, ...hints].join(' '), shown: { headline, hints } };
}

const NOWHERE: Surroundings = { env: {}, store: '.rollcall' };

function codeOf(error: unknown): string {
  if (error instanceof CloudError) return error.details.code;
  return error instanceof StoreError || error instanceof OtherOrganizationError ? error.code : 'Internal';
}

/** Turns any error into a code and one or two sentences, without a stack trace. */
export function reportOf(error: unknown, surroundings: Surroundings = NOWHERE): ErrorReport {
  const known = adviceFor(error, surroundings);
  if (known !== null) return report(codeOf(error), known.headline, known.hints);
  if (error instanceof PolicyError) {
    return { code: 'PolicyInvalid', message: error.message, findings: error.findings };
  }
  if (error instanceof UsageError) return report('Usage', ...usage(error));
  if (error instanceof CommandError && error.hints.length > 0) return report(error.code, error.message, error.hints);
  if (
    error instanceof CommandError ||
    error instanceof ConfigError ||
    error instanceof StoreError ||
    error instanceof OtherOrganizationError
  )
    return { code: error.code, message: error.message };
  if (error instanceof FileError) return { code: 'FileError', message: error.message };
  if (error instanceof OutdatedPolicyError) return { code: 'PolicyReplaced', message: error.message };
  if (error instanceof ClockDifferenceError) return { code: error.code, message: `${capitalized(error.message)}.` };
  if (error instanceof DamagedRegisterError) return { code: 'Corrupt', message: `${error.message}.` };
  if (error instanceof SignerError) return { code: 'CheckpointKey', message: error.message };
  if (error instanceof MalformedError || error instanceof UnprovenError) {
    const advice = 'Run `rollcall audit verify` for details, and copy the store before you restore a backup.';
    return { code: 'Tampered', message: `The transparency log is damaged: ${error.message}. ${advice}` };
  }
  if (error instanceof TamperedError) {
    const advice = '`rollcall audit verify` shows what else was changed; restore an earlier backup.';
    return { code: 'Tampered', message: `Audit log chain ${error.chain}: ${error.message}. ${advice}` };
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

/** An error as text: the findings, then what happened, then facts and the fix. @param width of the terminal; `null`: none */
export function reportLines({ message, findings, shown }: ErrorReport, width: number | null = null): string[] {
  const { headline, hints } = shown ?? { headline: message, hints: [] };
  return [
    ...(findings ?? []).flatMap((finding) => findingText(finding, sourceLine, width)),
    ...hang('error: ', oneLine(headline), width, 2),
    ...hints.flatMap((hint) => hang('  ', oneLine(hint), width)),
  ];
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

/** What is wrong with a command line, and where to read more. Commander puts its suggestion on a second line. */
function usage({ code, message, path, meant: better }: UsageError): [headline: string, hints: readonly string[]] {
  const [first = '', second = ''] = message.replace(/^error: /, '').split('\n');
  const meant = better ?? /Did you mean (?:one of )?(.+)\?/.exec(second)?.[1];
  const suggestion = meant === undefined ? '' : `Did you mean ${meant}? `;
  const help = `rollcall${path === '' ? '' : ` ${path}`} --help`;
  switch (code) {
    case 'commander.help':
      return ['a command is missing', [`All commands: ${help}`]];
    case 'commander.unknownCommand':
      return [first.replace(/'(.+)'$/, '$1'), [`${suggestion}All commands: ${help}`]];
    case 'commander.unknownOption':
      return [first.replace(/'(.+)'$/, '$1'), [`${suggestion}All options: ${help}`]];
    default:
      return [first.replace(/\.$/, ''), [`${suggestion}See: ${help}`]];
  }
}
