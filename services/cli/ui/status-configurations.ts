import type { Status } from '../../../shared/app/queries/status.ts';
import type { Output } from './output.ts';
import { paintStatus } from './statuses.ts';
import { table } from './table.ts';
import { count, number } from './words.ts';

type Row = Status['configurations'][number];

/** Up to this many configurations are listed. */
const FEW = 20;

/** The organization enrollment configurations; nothing if none is known. */
export function configurationTable(
  configurations: readonly Row[],
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  if (configurations.length === 0) return [];
  const columns = [
    { title: 'TARGET', shrinks: true },
    { title: 'ID', dropOrder: 1 },
    { title: 'RULE MODE' },
    { title: 'SET BY', dropOrder: 2 },
    { title: 'POLICY' },
    { title: 'ACCOUNTS', align: 'right' as const },
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
  ];
  const shown = configurations.slice(0, FEW);
  const rows = shown.map((row) => [
    row.target ?? row.targetId ?? 'not named by AWS yet',
    row.target === row.targetId ? '' : (row.targetId ?? ''),
    row.ruleMode ?? '',
    OWNERS[row.owner],
    row.wanted.join(' or '),
    number(row.accounts),
    row.status,
  ]);
  const others = configurations.length - shown.length;
  return [
    '',
    'Organization enrollment configurations, as last read from AWS:',
    ...table(columns, rows, width),
    ...(others === 0 ? [] : [`… and ${count(others, 'more configuration')}; --json has all`]),
    ...shown.flatMap(noteOf),
  ];
}

const OWNERS: Readonly<Record<Row['owner'], string>> = { rollcall: 'Rollcall', other: 'others' };

function noteOf({ target, targetId, differing, accounts, message }: Row): string[] {
  if (message === null) return [];
  const where = target ?? targetId ?? 'not named by AWS yet';
  const differ = differing === 0 ? '' : `${number(differing)} of ${count(accounts, 'account')} differ; `;
  return [`${where}: ${differ}${message}.`];
}
