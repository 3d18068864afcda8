import type { Chance } from './chance.ts';

/** Values that have broken readers of JSON, numbers, times and names before. */
const ODD: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  -0,
  Number.POSITIVE_INFINITY,
  2 ** 53 + 2,
  -9007199254740991,
  8.64e15,
  8.64e15 + 1,
  1e300,
  0.1,
  Number.NaN,
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\u0000',
  '\ud800',
  '\u202e',
  '\ufeff',
  '9999-99-99',
  '+275760-09-13T00:00:00.001Z',
  '2026-02-30',
  '0000-01-01T00:00:00Z',
  '2026-11-02T09:00:00.000Z',
  '123456789012',
  '000000000000',
  '１２３４５６７８９０１２',
  'o-aaaaaaaaaa',
  '$' + '{HOME}',
  '{}',
  '[]',
  [],
  {},
  [[]],
  { __proto__: null },
];
const NAMES: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'length',
  'accountId',
  'then',
  '0',
];

/** Any JSON, seldom deep. */
export function anyJson(chance: Chance, depth = 0): unknown {
  if (depth > 4 || chance.below(3) > 0) return chance.pick(ODD);
  const size = chance.below(5);
  if (chance.oneIn(2)) return Array.from({ length: size }, () => anyJson(chance, depth + 1));
  return Object.fromEntries(Array.from({ length: size }, () => [chance.pick(NAMES), anyJson(chance, depth + 1)]));
}

/** Lists nested to `depth`, built without recursion. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = n % 2 === 0 ? [value] : { a: value };
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy of JSON with one to three changes: values replaced, removed, duplicated, renamed, nested or lengthened. */
export function mutateJson(value: unknown, chance: Chance): unknown {
  let changed = value;
  for (let n = chance.below(3); n >= 0; n -= 1) changed = changeOnce(changed, chance);
  return changed;
}

function changeList(value: readonly unknown[], chance: Chance): unknown {
  const at = chance.below(value.length);
  const copy: unknown[] = [...value];
  const how = chance.below(6);
  if (how === 0) copy.splice(at, 1);
  else if (how === 1) copy.push(copy[at]);
  else copy[at] = changeOnce(copy[at], chance);
  return copy;
}

function changeMap(value: Record<string, unknown>, chance: Chance): unknown {
  const entries = Object.entries(value);
  const at = chance.below(entries.length);
  const [name, held] = entries[at] ?? ['', null];
  const how = chance.below(6);
  if (how === 0) entries.splice(at, 1);
  else if (how === 1) entries.push([chance.pick(NAMES), held]);
  else entries[at] = [name, changeOnce(held, chance)];
  return Object.fromEntries(entries);
}

function isSmall(value: unknown): boolean {
  return typeof value === 'string' ? value.length < 100 : typeof value !== 'object' || value === null;
}

function changeOnce(value: unknown, chance: Chance): unknown {
  if (chance.below(4) > 0) {
    if (Array.isArray(value) && value.length > 0) return changeList(value, chance);
    if (isRecord(value) && Object.keys(value).length > 0) return changeMap(value, chance);
  }
  if (typeof value === 'string' && chance.oneIn(2)) return mutateText(value, chance);
  if (typeof value === 'number' && chance.oneIn(3)) return value * chance.pick([-1, 1e3, 1e15, 1e-3, 1.5]);
  if (chance.oneIn(200)) return nested(chance.pick([10, 1_000, 20_000]));
  if (chance.oneIn(200)) return 'x'.repeat(chance.pick([1_000, 100_000, 1_000_000]));
  // Only small values are multiplied: many large ones would exceed the input limit of every reader.
  if (chance.oneIn(200)) return Array.from({ length: chance.pick([300, 20_000]) }, () => (isSmall(value) ? value : 1));
  return anyJson(chance);
}

const PIECES: readonly [string, ...string[]] = [
  ...([
    '\n',
    '\t',
    '\u0000',
    '\ufeff',
    '\ud800',
    '\u2028',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '#',
    '&a ',
    '*a',
  ] as const),
  ...([
    '!!str ',
    '<<: ',
    '---\n',
    '|',
    '>',
    '%YAML 1.1\n',
    '? ',
    '0',
    '999999999999',
    '../',
    '%00',
    '-',
    '.',
    '𝟙',
  ] as const),
];

/** A copy of a text with a piece inserted, removed, duplicated or changed. */
export function mutateText(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  const end = Math.min(text.length, at + chance.below(12));
  switch (chance.below(7)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, at) + text.slice(at, end).repeat(chance.oneIn(100) ? 5_000 : 3) + text.slice(end);
    case 3: {
      const from = chance.below(text.length + 1);
      return text.slice(0, at) + text.slice(from, from + chance.below(80)) + text.slice(at);
    }
    case 4:
      return text.slice(0, at) + chance.pick(PIECES).repeat(chance.oneIn(60) ? 3_000 : 1) + text.slice(at);
    case 5:
      return text.slice(0, at) + chance.pick(PIECES) + text.slice(end);
    default:
      return text.slice(0, at) + String.fromCharCode(chance.below(chance.oneIn(4) ? 65_536 : 128)) + text.slice(at + 1);
  }
}

export function mutateTexts(text: string, chance: Chance): string {
  let changed = text;
  for (let n = chance.below(4); n >= 0; n -= 1) changed = mutateText(changed, chance);
  return changed;
}

/** A copy of bytes with some changed, cut off, moved or set to a boundary value. */
export function mutateBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (copy.length === 0) return Uint8Array.from({ length: chance.below(9) }, () => chance.below(256));
  for (let n = chance.below(4); n >= 0; n -= 1) {
    const at = chance.below(copy.length);
    const to = chance.below(copy.length);
    switch (chance.below(5)) {
      case 0:
        copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
        break;
      case 1:
        copy[at] = chance.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        copy.fill(chance.pick([0, 0xff, 0x41]), at, at + chance.below(600));
        break;
      case 3:
        copy.copyWithin(to, at, at + chance.below(200));
        break;
      default:
        if (chance.oneIn(3)) return copy.slice(0, at);
        copy[at] = chance.below(256);
    }
  }
  return copy;
}

/** JSON as text. Values without a JSON form become `null`, as in `JSON.stringify`. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    // Input may be nested too deeply for `JSON.stringify`.
    if (error instanceof RangeError) return '['.repeat(20_000) + ']'.repeat(20_000);
    throw error;
  }
}
