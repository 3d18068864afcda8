import type { ShownEntry } from '../../../shared/app/queries/audit/show.ts';
import type { Style } from './output.ts';
import { oneLine } from './table.ts';

/** One entry in full: a line for each field (nested ones as JSON), and whether the entry fits its chain. */
export function entryText({ entry, verification }: ShownEntry, style: Style): string[] {
  const { ok, previous, next, faults } = verification;
  const fields = Object.entries(entry).filter(([, value]) => value !== null);
  const widest = Math.max(...fields.map(([name]) => name.length));
  const place = (each: typeof previous, none: string): string =>
    each === null ? none : `${each.seq}  ${each.type}  ${each.at}  ${each.id}`;
  return [
    style('bold', `${entry.type}  ${entry.chain}#${entry.seq}`),
    ...fields.map(([name, value]) => `  ${name.padEnd(widest)}  ${textOf(value)}`),
    '',
    `Previous: ${place(previous, 'none; this is the first entry of its chain')}`,
    `Next:     ${place(next, 'none; this is the last entry of its chain')}`,
    ...(ok
      ? [style('green', 'Intact: the hash matches the content, and both neighbours match the entry.')]
      : faults.map(({ seq, kind, message }) => style('red', `Damaged: entry ${seq}: ${kind}: ${oneLine(message)}`))),
  ];
}

function textOf(value: unknown): string {
  return oneLine(typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value));
}
