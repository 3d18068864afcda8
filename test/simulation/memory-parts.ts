/* What the stores in memory have in common. */

/** What the stores leave to chance; by default nothing. */
export interface Whims {
  /** A message that is sent is stored twice. */
  readonly doubles?: () => boolean;
  /** In which order messages are given out. */
  readonly order?: <T>(items: readonly T[]) => readonly T[];
  /** How far behind an index may be, ms. */
  readonly lagMs?: () => number;
}

export interface StoreClock {
  now(): number;
}

/** What is stored is a copy, and nobody can change what is handed out. */
export function stored<T>(value: T): T {
  return freeze(structuredClone(value));
}

export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
