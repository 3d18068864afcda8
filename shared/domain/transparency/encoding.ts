import { base64Of, bytesOfBase64 } from '../crypto.ts';
import { MalformedError } from './errors.ts';

/** Standard Base64 with padding (RFC 4648, section 4), which all C2SP formats use. */
export function toBase64(bytes: Uint8Array): string {
  return base64Of(bytes);
}

/**
 * Accepts only the one text that {@link toBase64} gives for these bytes, so that no two texts mean the same.
 * @throws MalformedError for anything else
 */
export function fromBase64(text: string, where: string): Uint8Array {
  const bytes = bytesOfBase64(text);
  if (toBase64(bytes) !== text) throw new MalformedError(where, `not standard Base64: ${quote(text)}`);
  return bytes;
}

/**
 * A decimal number without leading zeros.
 * @throws MalformedError for anything else, and above 2^53 − 1, where JavaScript numbers are no longer exact
 */
export function fromDecimal(text: string, where: string): number {
  if (!/^(?:0|[1-9][0-9]*)$/.test(text)) {
    throw new MalformedError(where, `not a decimal number without leading zeros: ${quote(text)}`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new MalformedError(where, `above 2^53 − 1: ${quote(text)}`);
  return value;
}

/** @throws MalformedError if the bytes are not UTF-8 */
export function fromUtf8(bytes: Uint8Array, where: string): string {
  try {
    // A byte order mark is content here: it is under the signature.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedError(where, 'not valid UTF-8');
  }
}

/** @throws MalformedError if the text has half a surrogate pair, which UTF-8 cannot represent */
export function toUtf8(text: string, where: string): Uint8Array {
  if (!text.isWellFormed()) throw new MalformedError(where, 'not valid Unicode');
  return new TextEncoder().encode(text);
}

/** A part of untrusted input for an error message: short, on one line, without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
