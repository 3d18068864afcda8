import { Zip, ZipDeflate } from 'fflate';
import { RunningSha256 } from '../../../domain/crypto.ts';

/** Without ZIP64, which fflate does not write, sizes and offsets have 32 bits, and the number of files has 16. The largest value of each means ZIP64. */
const ZIP_LIMITS: ZipLimits = { bytes: 0xffff_fffe, files: 0xfffe };

interface ZipLimits {
  readonly bytes: number;
  readonly files: number;
}
/** Texts are compressed in pieces of this many characters: line by line takes longer. */
const BUFFERED = 262_144;

/** The evidence does not fit into a ZIP file. */
export class EvidenceTooLargeError extends Error {
  override readonly name = 'EvidenceTooLargeError';

  constructor() {
    super(
      'the evidence of this period does not fit into a ZIP file (at most 4 GiB and 65,534 files): choose a shorter period',
    );
  }
}

/** A file of the ZIP that has been written. */
interface PackedFile {
  readonly name: string;
  readonly sha256: string;
}

export interface FileWriter {
  write(content: string | Uint8Array): void;
  close(): void;
}

/**
 * A ZIP file that is written piece by piece. Several files may be open; the later ones are kept compressed until the earlier ones are closed. The same content
 * gives the same bytes: the files have a fixed time.
 */
export class ZipWriter {
  readonly #ready: Uint8Array[] = [];
  readonly #zip = new Zip((error, piece) => {
    if (error !== null) throw error;
    this.#size += piece.length;
    this.#ready.push(piece);
  });
  readonly #files: PackedFile[] = [];
  readonly #encoder = new TextEncoder();
  readonly #limits: ZipLimits;
  #count = 0;
  #size = 0;

  constructor(limits: ZipLimits = ZIP_LIMITS) {
    this.#limits = limits;
  }

  /** The files that are closed. */
  get files(): readonly PackedFile[] {
    return this.#files;
  }

  /** @throws EvidenceTooLargeError */
  open(name: string): FileWriter {
    if (this.#count === this.#limits.files) throw new EvidenceTooLargeError();
    const file = new ZipDeflate(name, { level: 6 });
    // A local time, because that is what a ZIP file has; the earliest one that it can have.
    file.mtime = new Date(1980, 0, 1);
    // Made by Unix, so that the permissions count.
    file.os = 3;
    file.attrs = 0o100644 * 2 ** 16;
    this.#zip.add(file);
    this.#count += 1;
    const sum = new RunningSha256();
    let bytes = 0;
    const push = (piece: Uint8Array): void => {
      bytes += piece.length;
      if (bytes > this.#limits.bytes) throw new EvidenceTooLargeError();
      sum.add(piece);
      file.push(piece);
    };
    let text = '';
    const flush = (): void => {
      if (text !== '') push(this.#encoder.encode(text));
      text = '';
    };
    return {
      write: (content) => {
        if (typeof content === 'string') text += content;
        if (typeof content !== 'string' || text.length >= BUFFERED) flush();
        if (typeof content !== 'string') push(content);
      },
      close: () => {
        flush();
        file.push(new Uint8Array(), true);
        this.#files.push({ name, sha256: sum.hex() });
      },
    };
  }

  add(name: string, content: string | Uint8Array): void {
    const file = this.open(name);
    file.write(content);
    file.close();
  }

  /** Ends the ZIP file. @throws EvidenceTooLargeError */
  end(): void {
    this.#zip.end();
    if (this.#size > this.#limits.bytes) throw new EvidenceTooLargeError();
  }

  /** The pieces that are ready. Each is returned once. */
  take(): readonly Uint8Array[] {
    if (this.#size > this.#limits.bytes) throw new EvidenceTooLargeError();
    return this.#ready.splice(0);
  }
}
