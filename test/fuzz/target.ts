import type { Chance } from './chance.ts';

/** Whether a reader accepted a case, or refused it with a clear error. */
type Taken = 'accepted' | 'refused';

/**
 * Reads one input.
 * @throws Finding with the input if it was neither accepted nor refused clearly
 */
export type Read = () => Promise<Taken>;

/** One kind of outside input and its reader. */
export interface Target {
  readonly name: string;
  /** Its share of the cases, relative to the other targets. */
  readonly share: number;
  /** Every case is valid and must be accepted (default: only some cases are valid). */
  readonly takesAll?: true;
  /** Sets up the target. */
  open(): Promise<Opened>;
}

export interface Opened {
  /** Makes one case. Only the reading is timed. */
  make(chance: Chance): Read;
  /** Inputs of earlier findings. They are read first, for every seed. */
  readonly corpus: readonly Read[];
  close(): Promise<void>;
}

/** A defect, with the input that shows it. */
export class Finding extends Error {
  override readonly name = 'Finding';
  readonly input: string;

  constructor(message: string, input: string, options?: ErrorOptions) {
    super(message, options);
    this.input = input;
  }
}

/**
 * Reads an input and checks the error of a refusal.
 * @param isClear whether an error is a declared one that names place and problem
 */
export function take(input: string, read: () => unknown, isClear: (error: unknown) => boolean): Read {
  return async () => {
    try {
      return (await read()) === 'refused' ? 'refused' : 'accepted';
    } catch (error) {
      if (error instanceof Finding) throw error;
      if (isClear(error)) return 'refused';
      const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new Finding(`not a clear error: ${words.slice(0, 500)}`, input, { cause: error });
    }
  };
}

/** @throws Finding */
export function must(holds: boolean, what: string, input: string): void {
  if (!holds) throw new Finding(what, input);
}
