import type { ShownEntry } from '../../../shared/app/queries/audit/show.ts';
import type { Style } from './output.ts';
import { oneLine } from './table.ts';

/** One entry in full: every field on a line, what is nested as JSON, and what its chain says of it. */
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
    `Before it: ${place(previous, 'nothing, it is the first of its chain')}`,
    `After it:  ${place(next, 'nothing, it is the last of its chain')}`,
    ...(ok
      ? [style('green', 'Its hash is the hash of its content, and both neighbours fit.')]
      : faults.map(({ seq, kind, message }) => style('red', `Not whole: entry ${seq}: ${kind}: ${oneLine(message)}`))),
  ];
}

function textOf(value: unknown): string {
  return oneLine(typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value));
}
