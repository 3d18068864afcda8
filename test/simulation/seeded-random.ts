import { createRandom, type Random, randomBelow } from '../../services/sandbox/engine/random.ts';

/** All random choices, from one seed. */
export class SeededRandom {
  readonly random: Random;

  constructor(seed: number) {
    this.random = createRandom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b));
  }

  /** True with probability `p`. */
  happens(p: number): boolean {
    return p > 0 && this.random() < p;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + randomBelow(this.random, most - least + 1);
  }

  /** Milliseconds between `least` and `most`, mostly near `least`. */
  skewed(least: number, most: number): number {
    return least + Math.floor((most - least) * this.random() ** 4);
  }

  of<T>(items: readonly [T, ...T[]]): T {
    return items[randomBelow(this.random, items.length)] ?? items[0];
  }

  any<T>(items: readonly T[]): T | undefined {
    return items[randomBelow(this.random, items.length)];
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    const taken: T[] = [];
    while (left.length > 0) taken.push(...left.splice(randomBelow(this.random, left.length), 1));
    return taken;
  }
}
