import type { Chance } from './chance.ts';

/** How a reader took a case: used it, or refused it with an error that is clear. */
type Taken = 'accepted' | 'refused';

/**
 * Reads one input.
 * @throws Finding with the input, if it was neither used nor refused clearly
 */
export type Read = () => Promise<Taken>;

/** One kind of outside input, and what reads it. */
export interface Target {
  readonly name: string;
  /** Its part of the cases, relative to the others'. */
  readonly share: number;
  /** Every case is valid, and has to be taken (default: some are, some are not). */
  readonly takesAll?: true;
  /** Makes what the cases need. */
  open(): Promise<Opened>;
}

export interface Opened {
  /** Makes one case. Reading it is timed, making it is not. */
  make(chance: Chance): Read;
  /** Inputs that found something once; read before anything else, whatever the seed. */
  readonly corpus: readonly Read[];
  close(): Promise<void>;
}

/** Something that is wrong, with the input that shows it. */
export class Finding extends Error {
  override readonly name = 'Finding';
  readonly input: string;

  constructor(message: string, input: string, options?: ErrorOptions) {
    super(message, options);
    this.input = input;
  }
}

/**
 * What reads an input, and looks at the error that it is refused with.
 * @param isClear whether an error is one of the declared ones, and says where and what
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
