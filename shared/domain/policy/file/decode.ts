import type { Report } from './report.ts';
import { START } from './report.ts';

/** Maximum size of a policy file: 1 MiB, five times the ids of ten thousand accounts. */
const MAX_BYTES = 1024 * 1024;

/** The text of a policy file; null, with a finding, if it is too large or not UTF-8. */
export function decode(input: string | Uint8Array, report: Report): string | null {
  const size = typeof input === 'string' ? input.length : input.byteLength;
  if (size > MAX_BYTES) {
    report(START, [], {
      message: 'the file is too large',
      found: `${size} bytes`,
      expected: `at most ${MAX_BYTES} bytes (1 MiB)`,
      hint: 'Match by ou, tags or name instead of listing accounts.',
    });
    return null;
  }
  if (typeof input === 'string') return input.startsWith('\ufeff') ? input.slice(1) : input;
  const valid = validPrefix(input);
  if (valid === input.byteLength) return new TextDecoder('utf-8', { fatal: true }).decode(input);
  const before = new TextDecoder('utf-8').decode(input.subarray(0, valid));
  const line = before.split('\n').length;
  report({ line, column: before.length - before.lastIndexOf('\n') }, [], {
    message: 'the file is not UTF-8 text',
    found: `the byte 0x${(input[valid] ?? 0).toString(16).padStart(2, '0')}`,
    expected: 'UTF-8',
    hint: 'Save the file as UTF-8.',
  });
  return null;
}

/** The number of bytes at the start that are valid UTF-8. */
function validPrefix(bytes: Uint8Array): number {
  const decodes = (length: number, stream: boolean): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream });
      return true;
    } catch {
      return false; // the decoder reports invalid bytes only by throwing
    }
  };
  if (decodes(bytes.length, false)) return bytes.length;
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (decodes(middle, true)) good = middle;
    else bad = middle;
  }
  // A prefix may end inside a character: step back to where that character begins.
  while (good > 0 && !decodes(good, false)) good--;
  return good;
}
