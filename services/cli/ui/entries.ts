import type * as z from 'zod';
import type { ledgerEntry } from '../../../shared/app/queries/answers/common.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { reasonText } from '../../../shared/domain/enrollment/reason-codes.ts';
import { statusOf } from '../../../shared/domain/enrollment/status.ts';
import { table } from './table.ts';
import { instant, stateText } from './words.ts';

type Entry = z.infer<typeof ledgerEntry>;

/** Ledger entries, one per line. */
export function entriesTable(entries: readonly Entry[], width: number | null, withAccount: boolean): string[] {
  const columns = [
    { title: 'AT' },
    ...(withAccount ? [{ title: 'ACCOUNT' }] : []),
    { title: 'TYPE' },
    { title: 'ENROLLMENT', dropOrder: 5 },
    { title: 'BEFORE → AFTER', shrinks: true },
    { title: 'RULE', shrinks: true, dropOrder: 2 },
    { title: 'REASON', shrinks: true, dropOrder: 4 },
    { title: 'ACTOR', shrinks: true, dropOrder: 1 },
    { title: 'ID', dropOrder: 3 },
  ];
  const rows = entries.map((entry) => [
    instant(entry.at),
    ...(withAccount ? [entry.accountId ?? entry.chain] : []),
    entry.type,
    entry.enrollment === null ? '' : TITLES[entry.enrollment],
    changeText(entry),
    entry.rule ?? '',
    whyText(entry),
    entry.actor,
    entry.id,
  ]);
  return table(columns, rows, width);
}

function changeText({ before, after }: Entry): string {
  if (before === null && after === null) return '';
  return `${facetText(before)} → ${facetText(after)}`;
}

function facetText(facet: Entry['before']): string {
  if (facet === null) return '–';
  const { status, ruleMode } = facet;
  const word = statusOf(facet);
  const state = stateText(status, ruleMode);
  return state === '?' ? word : `${word} (${state})`;
}

function whyText({ reason, detail, api }: Entry): string {
  const call = api === null ? null : api.operation;
  return [reasonText(reason), call, detail?.message ?? detail?.error?.message]
    .filter((part) => part != null && part !== '')
    .join(': ');
}
