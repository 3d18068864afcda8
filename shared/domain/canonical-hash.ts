import { hash } from 'node:crypto';

/**
 * One text for one meaning: object keys sorted by code unit, members that are `undefined` left out, otherwise as
 * `JSON.stringify`. Two values that mean the same give the same text, whatever order they were built in, so that a
 * hash over it can be computed again by anyone who has the JSON.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  // Put together piece by piece, not by joining lists: every entry is hashed and stored by this text, and it takes half the time.
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item ?? null)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key);
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** SHA-256 over the UTF-8 bytes of `text`, 64 lower-case hex digits. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}
