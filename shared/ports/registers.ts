/**
 * Small JSON documents with compare-and-set, e.g. leases and operator controls.
 *
 * Promises:
 * - `write` stores the value only if the register's version is still `expected` (`null`: it does not exist) and returns the new version.
 *   Otherwise it returns `null` and changes nothing. Of two writers with `expected: null`, exactly one wins. Durable when it returns.
 * - Versions of a name never repeat, not even after a removal.
 * - A read sees every write that returned before it, in any process.
 */
export interface Registers {
  read(name: string): Promise<Register | null>;
  write(name: string, value: unknown, expected: string | null): Promise<string | null>;
  /** Removes the register if its version is still `expected`; returns whether it did. */
  remove(name: string, expected: string): Promise<boolean>;
  /** Registers whose name starts with `prefix`, ordered by name. */
  list(prefix: string): Promise<readonly Register[]>;
}

export interface Register {
  readonly name: string;
  /** Parsed JSON; the reader validates it. */
  readonly value: unknown;
  readonly version: string;
}

/** The content of a register is damaged, was changed outside Rollcall, or was written by a newer version. */
export class DamagedRegisterError extends Error {
  override readonly name = 'DamagedRegisterError';
  readonly register: string;

  /** @param found the invalid part of the content, and what is wrong with it */
  constructor(register: string, found: string, options?: ErrorOptions) {
    super(
      `register ${register} has a shape that this version does not know (${found}). It was changed from outside or written by a newer version: use that version, or restore a backup`,
      options,
    );
    this.register = register;
  }
}
