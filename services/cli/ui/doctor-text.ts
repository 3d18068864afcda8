import type { CheckId } from '../../../shared/app/doctor/check-ids.ts';
import type { Finding } from '../../../shared/app/doctor/run-checks.ts';
import { type CheckStatus, tally } from '../../../shared/domain/check-result.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { actorText, count } from './words.ts';
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
  bus: 'Event bus',
  outbox: 'Unpublished entries',
};

/** Checks that need no answer of AWS. The others come first. */
const LOCAL: ReadonlySet<CheckId> = new Set(['policy', 'dataDirectory', 'database', 'writeAheadLog', 'disk', 'clock']);

export interface DoctorTextOptions extends Pick<Output, 'style' | 'width'> {
  /** What to do if no check failed. */
  readonly next: string;
}

/**
 * The checks of AWS and of this machine, one line each, then the totals. A command that fixes a finding has a line of its own at the left edge and is
 * never wrapped, so that it can be copied.
 */
export function doctorText(findings: readonly Finding[], options: DoctorTextOptions): string[] {
  const region = findings.find(({ check, status }) => check === 'region' && status === 'pass');
  const remote = findings.filter((finding) => !LOCAL.has(finding.check) && finding !== region);
  const local = findings.filter(({ check }) => LOCAL.has(check));
  const { pass, warn, fail, skipped } = tally(findings);
  const totals = `${pass} passed, ${count(warn, 'warning')}, ${fail} failed, ${skipped} skipped.`;
  const widest = Math.max(...findings.map(({ check }) => CHECK_TITLES[check].length));
  const section = (title: string, members: readonly Finding[]): string[] =>
    members.length === 0 ? [] : [title, ...members.flatMap((finding) => checkLines(finding, widest, options))];
  return [
    ...section(region === undefined ? 'AWS' : `AWS (${region.message})`, remote),
    ...section('This machine', local),
    options.style(fail > 0 ? 'red' : 'green', totals),
    ...(fail > 0 ? [] : [`Next: ${options.next}`]),
  ];
}

/** The end of a message that introduces its commands. */
const INTRODUCTION = /(?:[.;:]? In the management account(?: \d{12})?|):$/;
const ARN = /\barn:[^\s,;]+[^\s,;.]/g;

function checkLines({ check, status, message, fix }: Finding, widest: number, options: DoctorTextOptions): string[] {
  const { style, width } = options;
  const { color, symbol } = SYMBOLS[status];
  const there = /In the management account(?: \d{12})?:$/.test(message) ? ', in the management account' : '';
  const text = oneLine(fix.length === 0 ? message : message.replace(INTRODUCTION, '')).replace(ARN, actorText);
  const skipped = status === 'skipped' ? 'skipped: ' : '';
  const prefix = `  ${style(color, symbol)} ${CHECK_TITLES[check].padEnd(widest)}  `;
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
