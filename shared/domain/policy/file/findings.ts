import type { FileSource, Place } from '../types.ts';

/** An error or a warning about a policy file. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** e.g. `rules[2].match.ou`; empty for the file as a whole. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

export type Path = readonly (string | number)[];

/** `['rules', 2, 'match']` as `rules[2].match`; keys that are not plain words are quoted, so that paths are unambiguous. */
export function renderPath(path: Path): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}

const LONGEST_PATH = 300;

/** One or two lines for people: `file:line:col: error: … (found …, expected …)` and what to do. */
export function formatFinding(f: Finding): string {
  // A key may be as long as the file.
  const path = f.path.length > LONGEST_PATH ? `${f.path.slice(0, LONGEST_PATH)}…` : f.path;
  const where = path === '' ? '' : `${path}: `;
  const details = [f.found && `found ${f.found}`, f.expected && `expected ${f.expected}`].filter(Boolean).join(', ');
  const head = `${f.file}:${f.line}:${f.column}: ${f.severity}: ${where}${f.message}`;
  return `${head}${details && ` (${details})`}${f.hint && `\n  ${f.hint}`}`;
}

/** The position of a path of a parsed file, or of its nearest ancestor with a known position. */
export function nearestPlace(source: FileSource, path: string): Place {
  let known = path;
  while (known !== '' && !source.places.has(known)) known = known.replace(/(^|\.|\[)[^.[]*$/, '');
  const { line, column } = source.places.get(known) ?? { line: 1, column: 1 };
  return { line, column };
}

/** A finding at a path of a parsed file. */
export function findingAt(
  source: FileSource,
  path: string,
  rest: Omit<Finding, 'file' | 'line' | 'column' | 'path'>,
): Finding {
  return { ...rest, file: source.file, ...nearestPlace(source, path), path };
}

const SHOWN = 80;

/** Makes text from a file safe to print: quotes and shortens it, and escapes control and direction-changing characters. */
export function shown(text: string): string {
  if (text === '') return 'an empty text';
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
  return `\`${cut.replace(unsafe, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)}\``;
}

/** The choice that a mistyped word probably stands for, or null. */
export function didYouMean(word: string, choices: readonly string[]): string | null {
  if (word.length > 64) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const choice of choices) {
    const distance = editDistance(lower, choice.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [choice, distance];
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions, swapped neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substituted);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}
