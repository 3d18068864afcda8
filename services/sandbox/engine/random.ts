/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Deterministic generator (mulberry32): the same 32-bit seed gives the same sequence on every machine. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whole number in [0, limit). */
export function randomBelow(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** `length` characters drawn from `alphabet`. */
export function randomText(random: Random, alphabet: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) text += alphabet.charAt(randomBelow(random, alphabet.length));
  return text;
}

/** `count` different members of `items` (all of them if there are fewer), in random order. */
export function sample<T>(random: Random, items: readonly T[], count: number): T[] {
  const pool = [...items];
  const picked: T[] = [];
  while (picked.length < count && pool.length > 0) {
    const at = randomBelow(random, pool.length);
    const last = pool.length - 1;
    const chosen = pool[at];
    const moved = pool[last];
    if (chosen === undefined || moved === undefined) break;
    picked.push(chosen);
    pool[at] = moved;
    pool.pop();
  }
  return picked;
}

/** 32-bit FNV-1a: a cheap checksum and seed mixer, not a cryptographic hash. */
export function fnv1a(text: string, basis = 0x811c9dc5): number {
  let hash = basis;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
