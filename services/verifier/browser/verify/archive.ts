import { type UnzipFileInfo, unzipSync } from 'fflate';
import { EvidenceError } from './finding.ts';

/** More than a page can hold in memory. */
const MOST_BYTES = 4_000_000_000;

/** The files of the ZIP file. */
export class Archive {
  readonly #files: Readonly<Record<string, Uint8Array>>;
  readonly names: readonly string[];

  /** @throws EvidenceError if it is not a complete ZIP file */
  constructor(zip: Uint8Array) {
    const names: string[] = [];
    let size = 0;
    const isWanted = ({ name, originalSize }: UnzipFileInfo): boolean => {
      if (names.includes(name)) throw new EvidenceError(`The ZIP file has two files with the name ${name}.`);
      names.push(name);
      size += originalSize;
      if (size > MOST_BYTES) throw new EvidenceError('The ZIP file is too large for this page (4 GB when unpacked).');
      return true;
    };
    try {
      this.#files = unzipSync(zip, { filter: isWanted });
    } catch (error) {
      throw error instanceof EvidenceError ? error : new EvidenceError(problemOf(zip));
    }
    this.names = names;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#files, name);
  }

  /** @throws EvidenceError if there is no such file */
  bytes(name: string): Uint8Array {
    const found = Object.hasOwn(this.#files, name) ? this.#files[name] : undefined;
    if (found === undefined) throw new EvidenceError(`The ZIP file has no ${name}.`);
    return found;
  }

  /** @throws EvidenceError if there is no such file, or it is not UTF-8 */
  text(name: string): string {
    const bytes = this.bytes(name);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new EvidenceError(`${name} is not text in UTF-8.`);
    }
  }

  /** @throws EvidenceError if there is no such file, or it is not JSON */
  json(name: string): unknown {
    const text = this.text(name);
    try {
      return JSON.parse(text);
    } catch {
      throw new EvidenceError(`${name} is not JSON.`);
    }
  }
}

/** What every file of a ZIP file begins with. */
const FILE = [0x50, 0x4b, 0x03, 0x04];

function problemOf(zip: Uint8Array): string {
  if (!FILE.every((byte, at) => zip[at] === byte))
    return 'This is not a ZIP file. Choose the file that rollcall evidence wrote.';
  return 'The ZIP file is damaged or truncated. Ask for it again.';
}
