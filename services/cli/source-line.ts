import { readFileSync } from 'node:fs';

/** A line of a file, from 1, for excerpts; `null`: it cannot be read. */
export function sourceLine(file: string, line: number): string | null {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[line - 1] ?? null;
  } catch {
    // A policy from stdin, or a file that is gone: the finding is shown without an excerpt.
    return null;
  }
}
