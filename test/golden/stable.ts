export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Hashes that are the same in every run. */
const KEPT: ReadonlySet<string> = new Set(['policyHash', 'planHash']);
/** A read-only call. The number of these calls depends on timing. */
const READ = /^[a-z-]+:(?:Assume|Describe|Get|List)/;
/** Operations are listed in the order of their first calls. */
const CALL = /^[a-z-]+:[A-Z]/;
const HOUR = 3_600_000;
const ULID = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g;
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const HASH = /\b[0-9a-f]{64}\b/g;
const TIME = /\b(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d\.\d{3}Z/g;
/** A line of a golden file is at most this long, if it has more than one value. */
const WIDTH = 140;

/**
 * Replaces values that differ between runs: ids and hashes become numbers in order of appearance, times and durations become their hour (a run
 * is shorter), and counts of read-only calls are masked.
 */
export class Stable {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  text(text: string): string {
    return text
      .replace(ULID, (id) => this.#name('id', id))
      .replace(UUID, (id) => this.#name('request', id))
      .replace(HASH, (hash) => this.#name('hash', hash))
      .replace(TIME, '$1');
  }

  value(value: Json, name = ''): Json {
    if (typeof value === 'string') return KEPT.has(name) ? value : this.text(value);
    if (typeof value === 'number') return name.endsWith('Ms') ? Math.floor(value / HOUR) * HOUR : value;
    if (Array.isArray(value)) return value.map((each) => this.value(each));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).filter(([key]) => !READ.test(key));
    if (members.every(([key]) => CALL.test(key) || key === 'total')) members.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(members.map(([key, each]) => [this.text(key), this.value(each, key)]));
  }

  #name(kind: string, value: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `${kind}-${count}`;
    this.#names.set(value, name);
    return name;
  }
}

/** One value per line, or as many as fit. */
export function pretty(value: Json, indent = ''): string {
  const short = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + short.length <= WIDTH) return short;
  const inside = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((each) => inside + pretty(each, inside)).join(',\n')}\n${indent}]`;
  const members = Object.entries(value).map(
    ([name, each]) => `${inside}${JSON.stringify(name)}: ${pretty(each, inside)}`,
  );
  return `{\n${members.join(',\n')}\n${indent}}`;
}
