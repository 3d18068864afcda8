import type { ServiceResult } from './check.ts';
import type { Difference } from './compare.ts';

/** The result for people: first the services with differences, by operation, then the others, then what could not be compared. */
export function reportText(results: readonly ServiceResult[]): string {
  const changed = results.filter(({ differences }) => differences.length > 0);
  const same = results.filter(({ differences, sources }) => differences.length === 0 && sources.length > 0);
  const failed = results.filter(({ failures }) => failures.length > 0);
  const count = changed.reduce((sum, { differences }) => sum + differences.length, 0);
  const blocks = [
    ...changed.map(changedService),
    ...block('No difference', same.map(sourceLine)),
    ...block(
      'Could not compare',
      failed.flatMap(({ service, failures }) => failures.map((why) => `${service}: ${why}`)),
    ),
    ...block('Not part of the comparison', notesOf(results)),
    `${counted(count, 'difference')} in ${counted(results.length, 'service')}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [[title, ...lines.map((line) => `  ${line}`)].join('\n')];
}

const sourceLine = ({ service, sources }: ServiceResult): string => `${service}: ${sources.join(', ')}`;

function notesOf(results: readonly ServiceResult[]): string[] {
  const notes = results.flatMap(({ service, notes: own }) => own.map((note) => ({ note, service })));
  const byNote = Map.groupBy(notes, ({ note }) => note);
  return [...byNote].map(([note, found]) => `${note} (${found.map(({ service }) => service).join(', ')})`);
}

function changedService(result: ServiceResult): string {
  const byOperation = Map.groupBy(result.differences, ({ operation }) => operation);
  const lines = [...byOperation].flatMap(([operation, found]) =>
    operation === null
      ? found.map((difference) => `  ${line(difference)}`)
      : [`  ${operation}`, ...found.map((difference) => `    ${line(difference)}`)],
  );
  return [sourceLine(result), ...lines].join('\n');
}

function line({ change, place, before, after }: Difference): string {
  if (before === place || after === place) return `${change}: ${place}`;
  if (change.endsWith('added')) return `${change}: ${place} (${after})`;
  if (change.endsWith('removed')) return `${change}: ${place} (${before})`;
  return `${change}: ${place} (${before ?? 'none'} -> ${after ?? 'none'})`;
}
