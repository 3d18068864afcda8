/**
 * A string that must not reach logs, findings, hashes or JSON by accident: only `reveal()` returns it. The value is in a private field, which neither JSON
 * nor console inspection shows.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }
}
