import { createHash } from 'node:crypto';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';

type Files = Record<string, Uint8Array>;

interface Packing {
  /** Whether to compute SHA256SUMS again, as an attacker would. */
  readonly sums?: boolean;
  /** Compression level. Default: the fastest, because tests pack the files again for each of many changes. */
  readonly level?: 1 | 9;
}

/** @returns a copy of the ZIP file, with changed files */
export function tampered(
  zip: Uint8Array,
  change: (files: Files) => void,
  { sums = true, level = 1 }: Packing = {},
): Uint8Array {
  const files: Files = unzipSync(zip);
  change(files);
  if (sums) files['SHA256SUMS'] = strToU8(sumsOf(files));
  return zipSync(files, { level });
}

function sumsOf(files: Files): string {
  return Object.entries(files)
    .filter(([name]) => name !== 'SHA256SUMS')
    .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
    .join('');
}

/** Changes the text of one file. */
export function edit(files: Files, name: string, change: (text: string) => string): void {
  const bytes = files[name];
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  files[name] = strToU8(change(strFromU8(bytes)));
}
