import { ENVIRONMENT, EXIT_CODES, FILES } from '../../services/cli/help/topics.ts';
import { code, table, withCommands } from './markdown.ts';

const rowsOf = (rows: readonly (readonly [term: string, text: string])[]): [string, string][] =>
  rows.map(([term, text]) => [term.split(', ').map(code).join(', '), withCommands(text)]);

export function exitCodeTable(): string {
  return table(['code', 'meaning'], rowsOf(EXIT_CODES)).join('\n');
}

export function environmentTables(): string {
  return ENVIRONMENT.flatMap(([title, rows]) => [
    `### ${title}`,
    '',
    ...table(['variable', 'meaning'], rowsOf(rows)),
  ]).join('\n');
}

export function fileTable(): string {
  return table(['file', 'content'], rowsOf(FILES)).join('\n');
}
