import type { CheckId } from '../../../shared/app/doctor/check-ids.ts';
import type { Finding } from '../../../shared/app/doctor/run-checks.ts';
import { type CheckResult, type CheckStatus, pass as passed, tally } from '../../../shared/domain/check-result.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { briefMessage } from '../../../shared/domain/ledger/brief-message.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { count, SHORT_HASH, withShortNames } from './words.ts';
import { hang } from './wrap.ts';

const CHECK_TITLES: Readonly<Record<CheckId, string>> = {
  policy: 'Policy',
  network: 'Network',
  region: 'Region',
  credentials: 'Credentials',
  organization: 'Organization',
  delegatedAdministrator: 'Delegated admin',
  trustedAccess: 'Trusted access',
  ...TITLES,
  serviceLinkedRoles: 'Service-linked roles',
  organizationConfigurations: 'Configurations',
  memberRole: 'Member role',
  dataDirectory: 'Data directory',
  database: 'Database',
  writeAheadLog: 'Write-ahead log',
  disk: 'Disk',
  table: 'Table',
  clock: 'Clock',
  queue: 'Queue',
  storeOrganization: "Store's organization",
  enforcement: 'Changes',
  bus: 'Event bus',
  outbox: 'Unpublished entries',
  checkpointKey: 'Checkpoint key',
  checkpointArchive: 'Checkpoint archive',
  checkpoints: 'Checkpoints',
};

/** The checks of the embedded store. They share a line unless one of them found something. */
const EMBEDDED: ReadonlySet<CheckId> = new Set(['dataDirectory', 'database', 'writeAheadLog', 'disk']);
/** Checks that are omitted if they do not apply: of the other store, of a halt that is not set, and of an event bus, a key or an archive that is not configured. */
const OPTIONAL: ReadonlySet<CheckId> = new Set([
  ...EMBEDDED,
  ...(['table', 'clock', 'queue', 'enforcement', 'bus', 'outbox', 'checkpointKey', 'checkpointArchive'] as const),
]);
/** Checks of what an existing store has. */
const IN_STORE: ReadonlySet<CheckId> = new Set(['storeOrganization', 'enforcement', 'checkpoints']);
/** Checks that need no answer of AWS. The others come first. */
const LOCAL: ReadonlySet<CheckId> = new Set(['policy', ...EMBEDDED, 'clock', 'enforcement', 'checkpoints']);

/** A line of the text: a finding, or several under one title. */
interface Shown extends CheckResult {
  readonly title: string;
  readonly local: boolean;
}

export interface DoctorTextOptions extends Pick<Output, 'style' | 'width'> {
  /** What to do if no check failed. */
  readonly next: string;
}

/**
 * The checks of AWS and of this machine, one line each, then how many of these checks have each status. A command that fixes a finding has a line of its
 * own at the left edge and is never wrapped, so that it can be copied.
 */
export function doctorText(findings: readonly Finding[], options: DoctorTextOptions): string[] {
  const region = findings.find(({ check, status }) => check === 'region' && status === 'pass');
  const shown = shownOf(findings.filter((finding) => finding !== region));
  const { pass, warn, fail, skipped } = tally(shown);
  const totals = `${pass} passed, ${count(warn, 'warning')}, ${fail} failed, ${skipped} skipped.`;
  const widest = Math.max(...shown.map(({ title }) => title.length));
  const section = (title: string, members: readonly Shown[]): string[] =>
    members.length === 0 ? [] : [title, ...members.flatMap((finding) => checkLines(finding, widest, options))];
  return [
    ...section(
      region === undefined ? 'AWS' : `AWS (${region.message})`,
      shown.filter(({ local }) => !local),
    ),
    ...section(
      'This machine',
      shown.filter(({ local }) => local),
    ),
    options.style(fail > 0 ? 'red' : 'green', totals),
    ...(fail > 0 ? [] : [`Next: ${options.next}`]),
  ];
}

/** The findings that have a line. `doctor --json` has all of them. */
function shownOf(findings: readonly Finding[]): readonly Shown[] {
  const used = findings.filter(({ check, reason }) => !(OPTIONAL.has(check) && reason === 'notUsed'));
  const embedded = used.filter(({ check }) => EMBEDDED.has(check));
  const isFine =
    embedded.length > 0 && embedded.every(({ status, reason }) => status === 'pass' || reason === 'missing');
  const isMissing = embedded.some(({ check, status }) => check === 'database' && status === 'skipped');
  const lines = used.filter(({ check }) => !isFine || !(EMBEDDED.has(check) || (isMissing && IN_STORE.has(check))));
  const told = embedded.find(({ check }) => check === (isMissing ? 'dataDirectory' : 'database'));
  return [
    ...(isFine && told !== undefined ? [{ ...passed(told.message), title: 'Store', local: true }] : []),
    ...lines.map((finding) => ({ ...finding, title: CHECK_TITLES[finding.check], local: LOCAL.has(finding.check) })),
  ];
}

/** The end of a message that introduces its commands. */
const INTRODUCTION = /(?:[.;:]? In the management account(?: \d{12})?|):$/;
/** The message of a check that was not made because another one did not pass. */
const NOT_REACHED = /^not checked: (\w+) did not pass$/;
const TITLE_OF: ReadonlyMap<string, string> = new Map(Object.entries(CHECK_TITLES));
const needed = (message: string, check: string): string => `needs ${TITLE_OF.get(check) ?? message}`;

function checkLines(
  { title, status, reason, message, fix }: Shown,
  widest: number,
  options: DoctorTextOptions,
): string[] {
  const { style, width } = options;
  const { color, symbol } = SYMBOLS[status];
  const there = /In the management account(?: \d{12})?:$/.test(message) ? ', in the management account' : '';
  const whole = reason === 'notReached' ? message.replace(NOT_REACHED, needed) : message;
  const found = oneLine(fix.length === 0 ? whole : whole.replace(INTRODUCTION, ''));
  const text = withShortNames(briefMessage(found, SHORT_HASH));
  const skipped = status === 'skipped' ? 'skipped: ' : '';
  const prefix = `  ${style(color, symbol)} ${title.padEnd(widest)}  `;
  return [
    ...hang(prefix, `${skipped}${text}`, width),
    // What is only skipped needs no fix; the last line says what comes next.
    ...(fix.length === 0 || status === 'skipped' ? [] : [`    Fix${there}:`, ...fix.map(oneLine)]),
  ];
}

const SYMBOLS = {
  pass: { color: 'green', symbol: '✓' },
  warn: { color: 'yellow', symbol: '!' },
  fail: { color: 'red', symbol: '✗' },
  skipped: { color: 'dim', symbol: '-' },
} as const satisfies Readonly<Record<CheckStatus, { readonly color: string; readonly symbol: string }>>;
