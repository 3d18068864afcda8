/** What is verified, in the order of the page. A failure further up explains those below it. */
export const CHECKS = [
  'archive',
  'signature',
  'tree',
  'entries',
  'chains',
  'complete',
  'checkpoints',
  'kept',
  'changes',
  'policies',
  'files',
] as const;
export type CheckName = (typeof CHECKS)[number];

/**
 * - `passed`.
 * - `failed`: `message` names the first place, and `more` counts the others.
 * - `limited`: nothing is wrong, but `message` says what is not shown.
 * - `notComparable`: something may be wrong, but the ZIP file cannot show whether it is; `message` names the possible causes.
 */
export interface Check {
  readonly name: CheckName;
  readonly state: 'passed' | 'failed' | 'limited' | 'notComparable';
  readonly message: string;
  readonly more?: number;
}

/** Something is wrong with the evidence. The message is a sentence that names the place. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
}

/** Collects the failures of one check, and keeps the first. */
export class Failures {
  #first: string | null = null;
  #more = 0;

  add(message: string): void {
    if (this.#first === null) this.#first = message;
    else this.#more += 1;
  }

  get any(): boolean {
    return this.#first !== null;
  }

  /** @param otherwise what to say if nothing failed */
  check(name: CheckName, otherwise: string, limit: string | null = null): Check {
    if (this.#first !== null) return { name, state: 'failed', message: this.#first, more: this.#more };
    return limit === null ? { name, state: 'passed', message: otherwise } : { name, state: 'limited', message: limit };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const numbers = new Intl.NumberFormat('en-US');

/** `1 entry`, `1,204 entries`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${numbers.format(n)} ${n === 1 ? one : many}`;
}

/** `2026-12-09 06:12:07 UTC`; another text is returned unchanged. */
export function instant(iso: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
