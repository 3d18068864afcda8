/** A seeded random source (mulberry32): the same seed gives the same cases on every machine. */
export interface Chance {
  /** 0 ≤ x < 1 */
  unit(): number;
  /** A whole number, 0 ≤ x < n. */
  below(n: number): number;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  /** An element of a nonempty list. */
  pick<T>(list: readonly [T, ...T[]]): T;
}

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(unit() * n);
  return {
    unit,
    below,
    oneIn: (n) => below(n) === 0,
    pick: (list) => list[below(list.length)] ?? list[0],
  };
}

/** A separate seed for each case, so that a case can be replayed individually (FNV-1a). */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const character of parts.join('/')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash;
}
