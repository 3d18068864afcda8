/**
 * Whether an event matches an EventBridge pattern of plain values [eb-event-patterns]: the event must have every field of the pattern, with
 * one of the listed values. Other matchers (prefixes, ranges) are not in Rollcall's templates, and are rejected here.
 */
export function lets(pattern: unknown, event: unknown): boolean {
  if (!isObject(pattern)) throw new Error(`a pattern is an object, not ${JSON.stringify(pattern)}`);
  return Object.entries(pattern).every(([name, allowed]) => {
    const found = isObject(event) ? event[name] : undefined;
    if (!Array.isArray(allowed)) return lets(allowed, found);
    if (allowed.length === 0 || allowed.some((each) => typeof each !== 'string')) {
      throw new Error(`${name}: only plain strings are supported, not ${JSON.stringify(allowed)}`);
    }
    return [found].flat().some((each) => allowed.includes(each));
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
