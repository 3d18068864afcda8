import { type PolicyResult, parsePolicy } from '../domain/policy/index.ts';
import type { Environment } from './config.ts';
import { readBytes, tooLarge } from './read-bytes.ts';

/** Maximum size of a file. A larger one is not read into memory. */
export const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and checks a policy. Errors in its content are returned as findings. @throws FileError if the file cannot be read */
export function readPolicyFile(path: string, now: number, env: Environment): PolicyResult {
  return parsePolicy(readBytes(path, { maxBytes: MAX_BYTES, ifMissing: NO_POLICY }), { file: path, now, env });
}

const STDIN = 'stdin';

/** As {@link readPolicyFile}, from a stream such as `process.stdin`. @throws FileError if the text is too large */
export async function readPolicyStream(
  chunks: AsyncIterable<string | Uint8Array>,
  now: number,
  env: Environment,
): Promise<PolicyResult> {
  const read: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    read.push(bytes);
    total += bytes.length;
    if (total > MAX_BYTES) throw tooLarge(STDIN, MAX_BYTES);
  }
  return parsePolicy(Buffer.concat(read), { file: STDIN, now, env });
}

const NO_POLICY = 'there is no such file; `rollcall policy init` writes a first one';
