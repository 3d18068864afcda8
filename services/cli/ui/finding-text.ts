import stringWidth from 'string-width';
import type { Finding } from '../../../shared/domain/policy/file/findings.ts';
import { oneLine } from '../../../shared/domain/text.ts';
import { hang } from './wrap.ts';

/** Reads a line of a file, from 1; `null`: it cannot be read. */
export type ReadLine = (file: string, line: number) => string | null;

/** A longer line is not shown, because its finding would be out of sight. */
const LONGEST_LINE = 200;

/**
 * A finding for people: the place and what is wrong, the line with a mark under what was found, and what was expected.
 * @param width of the terminal; `null`: none
 */
export function findingText(finding: Finding, readLine: ReadLine, width: number | null): string[] {
  const { file, line, column, severity, hint, expected } = finding;
  const source = readLine(file, line);
  const excerpt = source === null ? [] : excerptOf(finding, source);
  const marked = excerpt.length > 0;
  const head = `${messageOf(finding)}${marked || finding.found === '' ? '' : ` (found ${finding.found})`}`;
  return [
    ...hang(`${file}:${line}:${column}: ${severity}: `, plain(head), width, 2),
    ...excerpt,
    ...(expected === '' ? [] : hang('  ', plain(`expected ${expected.replace(/^one of (?!:)/, 'one of: ')}`), width)),
    // The excerpt contains a suggestion.
    ...(hint === '' || (marked && suggestionOf(hint) !== null) ? [] : hang('  ', plain(hint), width)),
  ];
}

/** What is wrong; with its path in the file, unless the message names the key. */
function messageOf({ message, path }: Finding): string {
  const key = path.split('.').at(-1) ?? '';
  return path === '' || message.includes(`\`${key}\``) ? message : `${path}: ${message}`;
}

function excerptOf({ line, column, found, hint }: Finding, source: string): string[] {
  if (source.length > LONGEST_LINE || source.trim() === '') return [];
  const at = Math.min(column - 1, source.length);
  const before = stringWidth(source.slice(0, at).replaceAll('\t', ' '));
  const marks = '^'.repeat(Math.max(1, stringWidth(foundIn(source.slice(at), found))));
  const suggestion = suggestionOf(hint);
  const number = `  ${line} | `;
  const margin = `${' '.repeat(number.length - 2)}| `;
  return [
    `${number}${source.replaceAll('\t', ' ')}`.trimEnd(),
    `${margin}${' '.repeat(before)}${marks}${suggestion === null ? '' : ` did you mean ${suggestion}?`}`,
  ];
}

/** The part of the line that the finding quotes. */
function foundIn(rest: string, found: string): string {
  const [, quoted = ''] = /`(.+)`/.exec(found) ?? [];
  const bare = rest.replace(/^["']/, '');
  return quoted !== '' && bare.startsWith(quoted) ? rest.slice(0, quoted.length + rest.length - bare.length) : '';
}

function suggestionOf(hint: string): string | null {
  return /^Did you mean `(.+)`\?$/.exec(hint)?.[1] ?? null;
}

const plain = (text: string): string => oneLine(text.replaceAll('`', ''));
