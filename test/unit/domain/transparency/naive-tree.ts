import { createHash } from 'node:crypto';
import type { Hash } from '../../../../shared/domain/transparency/hash.ts';

/*
 * A second implementation, written from the recursive definitions of RFC 6962, sections 2.1, 2.1.1 and 2.1.2. It shares no code with the product: it
 * works on half-open ranges of entries and only remembers hashes that it has computed.
 */
export class NaiveTree {
  readonly #entries: readonly Uint8Array[];
  readonly #known = new Map<string, Hash>();

  constructor(entries: readonly Uint8Array[]) {
    this.#entries = entries;
  }

  /** MTH(D[from:to]) */
  mth(from: number, to: number): Hash {
    const name = `${from}:${to}`;
    const hash = this.#known.get(name) ?? this.#compute(from, to);
    this.#known.set(name, hash);
    return hash;
  }

  /** PATH(m, D[from:to]) */
  path(m: number, from: number, to: number): Hash[] {
    const n = to - from;
    if (n === 1) return [];
    const k = split(n);
    return m < k
      ? [...this.path(m, from, from + k), this.mth(from + k, to)]
      : [...this.path(m - k, from + k, to), this.mth(from, from + k)];
  }

  /** PROOF(m, D[0:n]) */
  proof(m: number, n: number): Hash[] {
    return this.#subproof(m, 0, n, true);
  }

  #subproof(m: number, from: number, to: number, b: boolean): Hash[] {
    const n = to - from;
    if (m === n) return b ? [] : [this.mth(from, to)];
    const k = split(n);
    return m <= k
      ? [...this.#subproof(m, from, from + k, b), this.mth(from + k, to)]
      : [...this.#subproof(m - k, from + k, to, false), this.mth(from, from + k)];
  }

  #compute(from: number, to: number): Hash {
    const hash = createHash('sha256');
    const [only] = this.#entries.slice(from, to);
    if (to === from || only === undefined) return plain(hash.digest());
    if (to - from === 1) return plain(hash.update(Buffer.concat([Buffer.of(0), only])).digest());
    const k = split(to - from);
    return plain(hash.update(Buffer.concat([Buffer.of(1), this.mth(from, from + k), this.mth(from + k, to)])).digest());
  }
}

/** The k of RFC 6962: the power of two with k < n ≤ 2k. */
function split(n: number): number {
  for (let k = 1; ; k *= 2) if (k < n && n <= 2 * k) return k;
}

function plain(bytes: Uint8Array): Hash {
  return new Uint8Array(bytes);
}
