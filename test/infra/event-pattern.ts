/**
 * Whether an EventBridge pattern of plain values lets an event through [eb-event-patterns]: every field of the pattern must be there, and
 * be one of the values that its list has. What else patterns can say (prefixes, ranges) our templates do not, and it is refused here.
 */
export function lets(pattern: unknown, event: unknown): boolean {
  if (!isObject(pattern)) throw new Error(`a pattern is an object, not ${JSON.stringify(pattern)}`);
  return Object.entries(pattern).every(([name, wanted]) => {
    const found = isObject(event) ? event[name] : undefined;
    if (!Array.isArray(wanted)) return lets(wanted, found);
    if (wanted.length === 0 || wanted.some((each) => typeof each !== 'string')) {
      throw new Error(`${name}: only plain texts are understood, not ${JSON.stringify(wanted)}`);
    }
    return [found].flat().some((each) => wanted.includes(each));
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
