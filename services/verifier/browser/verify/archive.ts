import { isEvidenceName } from './file-names.ts';
import { EvidenceError } from './finding.ts';
import { unzip } from './zip-reader.ts';

/** The files of the ZIP file. */
export class Archive {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly names: readonly string[];

  /** @throws EvidenceError if it is not a ZIP file as `rollcall evidence` writes it */
  constructor(zip: Uint8Array) {
    this.#files = unzip(zip);
    this.names = [...this.#files.keys()];
    const other = this.names.find((name) => !isEvidenceName(name));
    if (other === undefined) return;
    const shown = JSON.stringify(other.length > 100 ? `${other.slice(0, 100)}…` : other);
    throw new EvidenceError(`The ZIP file has ${shown}, which is not a file of evidence: it was added later.`);
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** @throws EvidenceError if there is no such file */
  bytes(name: string): Uint8Array {
    const found = this.#files.get(name);
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
