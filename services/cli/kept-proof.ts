import * as z from 'zod';
import { readBytes } from '../../shared/config/read-bytes.ts';
import { canonicalJson, sha256Hex } from '../../shared/domain/canonical-hash.ts';
import { MalformedError } from '../../shared/domain/transparency/errors.ts';
import { parseProof, type TlogProof } from '../../shared/domain/transparency/tlog-proof.ts';
import { CommandError } from './errors.ts';

/** A policy in an entry may have a megabyte. */
const MAX_BYTES = 16 * 1024 * 1024;

/** An entry as a file has it. */
export interface ProvedEntry {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  readonly type: string;
  readonly at: string;
  /** Whether the hash is that of the other fields. */
  readonly isIntact: boolean;
}

const entrySchema = z.looseObject({
  chain: z.string(),
  seq: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  type: z.string(),
  at: z.iso.datetime(),
});
const withEntry = z.looseObject({ entry: entrySchema });
const withProof = withEntry.extend({ proof: z.string() });

interface KeptProof {
  readonly proof: TlogProof;
  /** `null`: the file has the proof alone. */
  readonly entry: ProvedEntry | null;
}

/** Reads a C2SP tlog-proof, or the document of `audit proof --json`, which has the entry too. @throws FileError, CommandError */
export function readProofFile(file: string): KeptProof {
  const bytes = readBytes(file, { maxBytes: MAX_BYTES });
  const document = withProof.safeParse(jsonIn(bytes)).data;
  try {
    const proof = parseProof(document?.proof ?? bytes);
    return { proof, entry: document === undefined ? null : provedEntry(document.entry) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new CommandError('ProofInvalid', `--verify ${file}: it is not a proof`, {
      hints: [
        `Found: ${bytes.length === 0 ? 'the file is empty' : error.message}.`,
        'Expected: what rollcall audit proof prints, byte for byte, or its --json document',
      ],
    });
  }
}

/** Reads an entry, or a document with one: of `audit show --json`, for example. @throws FileError, CommandError */
export function readEntryFile(file: string): ProvedEntry {
  const json = jsonIn(readBytes(file, { maxBytes: MAX_BYTES }));
  const entry = withEntry.safeParse(json).data?.entry ?? entrySchema.safeParse(json).data;
  if (entry !== undefined) return provedEntry(entry);
  throw new CommandError('ProofInvalid', `--entry ${file}: it has no entry of the audit log`, {
    hints: ['Expected: one entry as JSON, as rollcall audit show ENTRY --json prints it'],
  });
}

function provedEntry(entry: z.infer<typeof entrySchema>): ProvedEntry {
  const { hash, ...content } = entry;
  const { chain, seq, type, at } = entry;
  return { chain, seq, hash, type, at, isIntact: sha256Hex(canonicalJson(content)) === hash };
}

/** `null`: it is not JSON. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
