import type { CheckId } from '../../../shared/app/doctor/check-ids.ts';
import type { Finding } from '../../../shared/app/doctor/run-checks.ts';
import { type CheckStatus, tally } from '../../../shared/domain/check-result.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Output, Style } from './output.ts';
import { oneLine } from './table.ts';
import { count } from './words.ts';

const CHECK_TITLES: Readonly<Record<CheckId, string>> = {
  policy: 'Policy',
  network: 'Network',
  region: 'Region',
  credentials: 'Credentials',
  organization: 'Organization',
  delegatedAdministrator: 'Delegated administrator',
  trustedAccess: 'Trusted access',
  ...TITLES,
  serviceLinkedRoles: 'Service-linked roles',
  organizationConfigurations: 'Organization configurations',
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

/** One line for each check with the commands that fix it, then the totals. A command has its own line and is never shortened, so that it can be copied. */
export function doctorText(findings: readonly Finding[], { style }: Pick<Output, 'style'>): string[] {
  const widest = Math.max(...findings.map(({ check }) => CHECK_TITLES[check].length));
  const lines = findings.flatMap(({ check, status, message, fix }) => [
    `${painted(style, status)}  ${CHECK_TITLES[check].padEnd(widest)}  ${oneLine(message)}`,
    ...fix.map((command) => `${' '.repeat(9 + widest + 2)}$ ${command}`),
  ]);
  const { pass, warn, fail, skipped } = tally(findings);
  const totals = `${pass} passed, ${count(warn, 'warning')}, ${fail} failed, ${skipped} skipped.`;
  return [...lines, '', style(fail > 0 ? 'red' : 'green', totals)];
}

const COLOURS = { pass: 'green', warn: 'yellow', fail: 'red', skipped: 'gray' } as const;

function painted(style: Style, status: CheckStatus): string {
  return style(COLOURS[status], status.padEnd(7));
}
