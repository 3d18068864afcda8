import { readBytes, tooLarge } from './read-bytes.ts';

/** Maximum size of a file. A larger one is not read into memory. */
export const MAX_BYTES = 4 * 1024 * 1024;

/** Reads the text of a policy file, as bytes. @throws FileError if the file cannot be read */
export function readPolicyFile(path: string): Uint8Array {
  return readBytes(path, { maxBytes: MAX_BYTES, ifMissing: NO_POLICY });
}

/** As {@link readPolicyFile}, from a stream such as `process.stdin`. @throws FileError if the text is too large */
export async function readPolicyStream(chunks: AsyncIterable<string | Uint8Array>): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    read.push(bytes);
    total += bytes.length;
    if (total > MAX_BYTES) throw tooLarge('stdin', MAX_BYTES);
  }
  return Buffer.concat(read);
}

const NO_POLICY = 'there is no such file; `rollcall policy init` writes a first one';
