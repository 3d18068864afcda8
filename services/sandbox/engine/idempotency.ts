import type { Input, Output } from './types.ts';

/** Documented for AssociateAccounts only [automation-org]; the sandbox uses it for every operation with a client token. */
const VALID_MS = 30 * 60 * 1000;

type Times = { at: number; answeredAt: number };
type Remembered = Times & { parameters: string; output: Output };

/** Responses to calls with a client token, repeated for 30 minutes per account and operation. Errors are not stored. */
export class IdempotentAnswers {
  readonly #answers = new Map<string, Remembered>();

  /** The earlier response; `inUse` if it has not been sent yet; `mismatch` if the parameters differ; undefined for a new token. */
  recall(key: string, input: Input, now: number): Output | 'inUse' | 'mismatch' | undefined {
    const known = this.#answers.get(key);
    if (known === undefined || now - known.at >= VALID_MS) return undefined;
    if (now < known.answeredAt) return 'inUse';
    return known.parameters === canonical(input) ? known.output : 'mismatch';
  }

  remember(key: string, input: Input, output: Output, times: Times): void {
    const now = times.at;
    this.#answers.delete(key);
    this.#answers.set(key, { parameters: canonical(input), output, ...times });
    // Insertion order is time order, so expired responses come first.
    for (const [oldest, { at }] of this.#answers) {
      if (now - at < VALID_MS) break;
      this.#answers.delete(oldest);
    }
  }
}

function canonical(input: Input): string {
  const names = Object.keys(input).sort();
  return JSON.stringify(names.filter((name) => name !== 'clientToken').map((name) => [name, input[name]]));
}
