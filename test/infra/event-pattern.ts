/**
 * Whether an event matches an EventBridge pattern of plain values [eb-event-patterns]: the event must have every field of the pattern, with
 * one of the listed values. Other matchers (prefixes, ranges) are not in Rollcall's templates, and are rejected here.
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
