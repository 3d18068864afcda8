/**
 * Small JSON documents under compare-and-set: leases, limiter buckets, the state of runs, stored plans, operator's controls.
 *
 * Promises:
 * - `write` stores the value only if the register's version is still `expected` (`null`: it does not exist) and answers the new
 *   version, else `null` and nothing is changed. Also the first write is guarded: of two writers with `expected: null`
 *   exactly one wins. Durable when it returns.
 * - Versions never repeat for a name, not even after a removal.
 * - Reads see every write that returned before them, in any process.
 */
export interface Registers {
  read(name: string): Promise<Register | null>;
  write(name: string, value: unknown, expected: string | null): Promise<string | null>;
  /** Removes it if its version is still `expected`; answers whether it did. */
  remove(name: string, expected: string): Promise<boolean>;
  /** Registers whose name begins with `prefix`, in order of name. */
  list(prefix: string): Promise<readonly Register[]>;
}

export interface Register {
  readonly name: string;
  /** Parsed JSON; the reader checks its shape. */
  readonly value: unknown;
  readonly version: string;
}

/** A register holds what no version that we know of writes: it was changed from outside, damaged, or written by a newer version. */
export class DamagedRegisterError extends Error {
  override readonly name = 'DamagedRegisterError';
  readonly register: string;

  /** @param found where in it something is wrong, and what */
  constructor(register: string, found: string, options?: ErrorOptions) {
    super(
      `register ${register} has a shape that this version does not know (${found}). It was changed from outside or written by a newer version: use that version, or restore a backup`,
      options,
    );
    this.register = register;
  }
}
