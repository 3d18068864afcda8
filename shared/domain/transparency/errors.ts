/** Bytes or text that do not have the form that their specification requires. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';

  /** @param where the format and the part of it, for example `signed note, line 3` */
  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`);
  }
}

/** A proof or a signature that has the right form, but does not prove what it claims. */
export class UnprovenError extends Error {
  override readonly name = 'UnprovenError';
}
