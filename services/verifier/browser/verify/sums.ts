import { RunningSha256 } from '../../../../shared/domain/crypto.ts';
import type { Archive } from './archive.ts';
import { type Check, count, EvidenceError, Failures } from './finding.ts';

const SUMS = 'SHA256SUMS';
/** Hashing this many bytes takes a few milliseconds. */
const PIECE = 1_000_000;

/** Checks that the files are those that were packed. It finds damage, not forgery: SHA256SUMS can be written again. */
export async function checkFiles(archive: Archive, turn: () => Promise<void>): Promise<Check> {
  const failures = new Failures();
  const listed = new Map<string, string>();
  for (const line of readSums(archive, failures)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (sum === undefined || name === undefined) failures.add(`${SUMS} has a line that is not a hash and a name.`);
    else listed.set(name, sum);
  }
  for (const [name, sum] of listed) {
    if (!archive.has(name)) failures.add(`The ZIP file has no ${name}, which ${SUMS} lists.`);
    else if ((await hashOf(archive.bytes(name), turn)) !== sum)
      failures.add(`${name} was changed: its SHA-256 is not the one in ${SUMS}.`);
  }
  const extra = archive.names.find((name) => name !== SUMS && !name.endsWith('/') && !listed.has(name));
  if (extra !== undefined) failures.add(`${extra} is not listed in ${SUMS}: it was added later.`);
  return failures.check('files', `${count(listed.size, 'file')}: none is damaged, missing or added.`);
}

function readSums(archive: Archive, failures: Failures): readonly string[] {
  try {
    return archive
      .text(SUMS)
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    failures.add(error.message);
    return [];
  }
}

async function hashOf(bytes: Uint8Array, turn: () => Promise<void>): Promise<string> {
  // Browsers have it only on pages that they regard as secure. It is several times as fast.
  const subtle: (typeof crypto)['subtle'] | undefined = globalThis.crypto?.subtle;
  if (subtle !== undefined) {
    await turn();
    const sum = new Uint8Array(await subtle.digest('SHA-256', new Uint8Array(bytes)));
    return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  const sum = new RunningSha256();
  for (let at = 0; at < bytes.length; at += PIECE) {
    sum.add(bytes.subarray(at, at + PIECE));
    await turn();
  }
  return sum.hex();
}
