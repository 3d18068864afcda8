import * as z from 'zod';
import type { Register, Registers } from '../../ports/registers.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { readValue, writeTyped } from '../coordination/typed-register.ts';

/** Maximum number of JSON characters in one register. */
const CHUNK_CHARS = 150_000;

const chunkSchema = z.object({ answers: z.array(z.tuple([z.string(), z.unknown()]).readonly()) });

export const SCAN_PROGRESS = documentFamily(REGISTERS.checkpoint, chunkSchema);
/** The key under which {@link ScanProgress.begunAt} is stored. */
const BEGUN = 'begunAt';
const begun = z.number();
const prefixOf = (runId: string): string => SCAN_PROGRESS.named(`${runId}/`).name;

/**
 * The AWS responses that a scan has received. If the scan runs out of time, the next process repeats it with these responses
 * instead of calling AWS again. They are in memory until {@link save}.
 */
export class ScanProgress {
  readonly #registers: Registers;
  readonly #runId: string;
  readonly #known: Map<string, unknown>;
  #saved: number;
  #chunks: number;

  private constructor(registers: Registers, runId: string, known: Map<string, unknown>, chunks: number) {
    this.#registers = registers;
    this.#runId = runId;
    this.#known = known;
    this.#saved = known.size;
    this.#chunks = chunks;
  }

  /** Loads the checkpoint of a run; empty if it has none. Removes the checkpoints of earlier runs. */
  static async load(registers: Registers, runId: string): Promise<ScanProgress> {
    const known = new Map<string, unknown>();
    const stored: Register[] = [];
    for (const register of await registers.list(SCAN_PROGRESS.prefix)) {
      if (register.name.startsWith(prefixOf(runId))) stored.push(register);
      else await registers.remove(register.name, register.version);
    }
    for (const { name, value } of stored) {
      for (const [key, answer] of readValue({ ...SCAN_PROGRESS, name }, value).answers) known.set(key, answer);
    }
    if (known.size > 0 && !known.has(BEGUN)) {
      // The first register is missing, so nobody knows how old the responses in the others are.
      await removeAll(registers, stored);
      return new ScanProgress(registers, runId, new Map(), 0);
    }
    return new ScanProgress(registers, runId, known, stored.length);
  }

  /** The number of AWS responses. */
  get size(): number {
    return this.#known.size - (this.has(BEGUN) ? 1 : 0);
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  get(key: string): unknown {
    return this.#known.get(key);
  }

  /** @param answer a JSON value. */
  put(key: string, answer: unknown): void {
    this.#known.set(key, answer);
  }

  /** When the first response was requested, epoch ms; `now` if there is none yet. */
  begunAt(now: number): number {
    if (!this.has(BEGUN)) this.put(BEGUN, now);
    return begun.parse(this.get(BEGUN));
  }

  /** Stores the new responses. Only the scanner that holds the lease writes the checkpoint of a run. */
  async save(): Promise<void> {
    const fresh = [...this.#known].slice(this.#saved);
    for (const answers of chunked(fresh)) {
      const document = SCAN_PROGRESS.named(`${this.#runId}/${String(this.#chunks).padStart(6, '0')}`);
      const written = await writeTyped(this.#registers, document, { answers }, null);
      if (written === null)
        throw new Error(`register ${document.name} already exists: two scanners are working on the same run`);
      this.#chunks += 1;
      this.#saved += answers.length;
    }
  }

  /** Removes everything saved, after the run has ended. */
  async clear(): Promise<void> {
    await removeAll(this.#registers, await this.#registers.list(prefixOf(this.#runId)));
  }
}

/** Removes the last register first, so that what a crash leaves behind still says how old the first response is. */
async function removeAll(registers: Registers, stored: readonly Register[]): Promise<void> {
  for (const { name, version } of stored.toReversed()) await registers.remove(name, version);
}

function chunked(answers: readonly (readonly [string, unknown])[]): (readonly [string, unknown])[][] {
  const chunks: (readonly [string, unknown])[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    const length = JSON.stringify(answer).length;
    if (size + length > CHUNK_CHARS) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)?.push(answer);
    size += length;
  }
  return chunks;
}
