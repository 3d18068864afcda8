import { type ExpectationsResult, parseExpectations } from '../domain/policy/expectations/expectations.ts';
import type { Policy } from '../domain/policy/index.ts';
import { MAX_BYTES } from './policy-file.ts';
import { readBytes } from './read-bytes.ts';

/** Reads and checks a policy's expectations. Errors in their content are returned as findings. @throws FileError if the file cannot be read */
export function readExpectationsFile(path: string, policy: Policy): ExpectationsResult {
  return parseExpectations(readBytes(path, { maxBytes: MAX_BYTES, ifMissing: NO_EXPECTATIONS }), path, policy);
}

const NO_EXPECTATIONS =
  'there is no such file; `rollcall policy schema --expectations` prints its format, and --expectations names another';
