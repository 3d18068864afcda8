/**
 * Token bucket: `rate` tokens a second, at most `2 × rate` saved up (but always room for one), full at first.
 * Exact for whole millisecond times.
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

  /** Whether a token is there to be taken. */
  has(now: number): boolean {
    if (now > this.#at) {
      this.#level = Math.min(this.#capacity, this.#level + (now - this.#at) * this.#rate);
      this.#at = now;
    }
    return this.#level >= 1000;
  }

  /** Takes a token that `has` has just found. */
  take(): void {
    this.#level -= 1000;
  }
}
