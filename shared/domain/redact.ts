import { visible, visibleLines } from './text.ts';

/** Fields with these names are always masked. */
const SECRET_NAME =
  /secret|password|passphrase|credential|session[_-]?token|security[_-]?token|access[_-]?token|auth[_-]?token|api[_-]?key|private[_-]?key|bearer|cookie|authorization|webhook|external[_-]?id|^token$|^signature$/i;

/** Secrets that travel inside text: signed queries, credentials in addresses, chat webhooks, authorization headers. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/([?&](?:X-Amz-(?:Signature|Security-Token|Credential)|token|sig|signature|key)=)[^&\s"']+/gi, '$1[redacted]'],
  [/(\/\/)[^/\s:@]+:[^/\s@]+@/g, '$1[redacted]@'],
  [/(https:\/\/hooks\.slack\.com\/)[^\s"']+/gi, '$1[redacted]'],
  [/\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}/g, '$1[redacted]'],
  [/(AWS4-HMAC-SHA256\s).*?Signature=[0-9a-f]+/g, '$1[redacted]'],
];

const MASK = '[redacted]';
const DEEPEST = 8;

/** Prepares a value for a log line: JSON without cycles, secrets, or characters that could mislead a reader on a terminal. */
export type Redact = (value: unknown) => unknown;

/** @param secrets exact texts to mask everywhere, e.g. an API token; texts under 6 characters would mask harmless text */
export function makeRedact(secrets: readonly string[] = []): Redact {
  const exact = secrets.filter((secret) => secret.length >= 6);
  const clean = (text: string): string => {
    let result = text;
    for (const secret of exact) result = result.replaceAll(secret, MASK);
    for (const [pattern, replacement] of SECRET_TEXT) result = result.replace(pattern, replacement);
    return visibleLines(result);
  };

  const walkError = (error: Error, path: readonly object[]): unknown => ({
    name: error.name,
    message: clean(error.message),
    // Fields of Rollcall's own errors show which account and operation the error concerns.
    ...walkMembers(Object.fromEntries(Object.entries(error).filter(([name]) => name !== 'name')), path),
    ...(error.stack === undefined ? {} : { stack: clean(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: walk(error.cause, path) }),
  });

  const walkMembers = (value: object, path: readonly object[]): Record<string, unknown> => {
    const members: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const hidden = SECRET_NAME.test(name) && member !== null && member !== undefined && typeof member !== 'boolean';
      members[visible(name)] = hidden ? MASK : walk(member, path);
    }
    return members;
  };

  const walkObject = (value: object, path: readonly object[]): unknown => {
    if (path.includes(value)) return '[circular]';
    if (path.length >= DEEPEST) return '[deeper]';
    const here = [...path, value];
    if (value instanceof Error) return walkError(value, here);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Map) return walk(Object.fromEntries(value), here);
    if (value instanceof Set || Array.isArray(value)) return Array.from(value, (item) => walk(item, here));
    // `Secret.toJSON` hides the value of a secret.
    if ('toJSON' in value && typeof value.toJSON === 'function') return walk(value.toJSON(), here);
    return walkMembers(value, here);
  };

  const walk = (value: unknown, path: readonly object[]): unknown => {
    if (typeof value === 'string') return clean(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'function' || typeof value === 'symbol') return String(value);
    return typeof value === 'object' && value !== null ? walkObject(value, path) : value;
  };
  return (value) => walk(value, []);
}
