import { oneLine } from '../../../../domain/text.ts';

/** One line that is not empty and does not begin or end with a space, as OSCAL requires of titles and values. */
export function lineOf(text: string | null, otherwise: string): string {
  const line = oneLine(text ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line === '' ? otherwise : line;
}

/** An OSCAL token: it begins with a letter, and has letters, digits and `.-_`. */
export function tokenOf(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(/[^\p{L}\p{N}._-]/gu, '_')).join('-');
}

const NAMESPACE = 'urn:rollcall:evidence';

export function property(name: string, value: string | number | null) {
  return { name, ns: NAMESPACE, value: lineOf(value === null ? null : String(value), 'unknown') };
}
