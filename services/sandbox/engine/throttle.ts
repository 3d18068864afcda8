/**
 * Token bucket: refills `rate` tokens per second, holds at most `2 × rate` (but at least one), and starts full.
 * Exact for times in whole milliseconds.
 */
export class TokenBucket {
  /** Thousandths of a token, so that whole milliseconds at whole rates add up without rounding. */
  #level: number;
  #at: number;
  readonly #rate: number;
  readonly #capacity: number;

  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#capacity = Math.max(1000, 2000 * rate);
    this.#level = this.#capacity;
    this.#at = now;
  }

  /** Whether a token is available. */
  has(now: number): boolean {
    if (now > this.#at) {
      this.#level = Math.min(this.#capacity, this.#level + (now - this.#at) * this.#rate);
      this.#at = now;
    }
    return this.#level >= 1000;
  }

  /** Takes a token. Call only after `has` returned true. */
  take(): void {
    this.#level -= 1000;
  }
}
