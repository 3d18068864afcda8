import { packEvidence } from '../../shared/app/queries/evidence/evidence.ts';
import type { EvidenceLog } from '../../shared/app/queries/evidence/evidence-log.ts';
import type { EvidenceSummary } from '../../shared/app/queries/evidence/summary.ts';
import type { VerifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import type { Ledger } from '../../shared/ports/ledger.ts';
import type { SnapshotStore } from '../../shared/ports/snapshot-store.ts';
import { zipEntries } from './zip.ts';

/** The log of a store that has none. */
const NO_LOG: EvidenceLog = {
  newestCheckpoint: async () => null,
  checkpoints: async () => [],
  indexOf: async () => null,
  tile: async () => new Uint8Array(),
  bundle: async () => new Uint8Array(),
};

export interface Packed {
  readonly zip: Buffer;
  readonly summary: EvidenceSummary;
  /** Names of the files, in order. */
  readonly names: readonly string[];
  text(name: string): string;
  bytes(name: string): Buffer;
}

export interface PackRequest {
  readonly since: string;
  readonly until: string;
  readonly log?: EvidenceLog;
  readonly key?: VerifierKey;
  /** `verify.html`; default: a page that tests do not open. */
  readonly page?: Uint8Array;
}

const NO_PAGE = new TextEncoder().encode('<!doctype html>');

/** Packs the evidence of a store and reads the ZIP file back. */
export async function pack(
  stores: { readonly ledger: Ledger; readonly snapshots: Pick<SnapshotStore, 'load'> },
  { since, until, log = NO_LOG, key, page = NO_PAGE }: PackRequest,
): Promise<Packed> {
  const request = { since, until, organizationId: 'o-test', version: '1.2.3', key: key ?? null, page };
  const { pieces, summary } = packEvidence(stores, log, request);
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  const zip = Buffer.concat(parts);
  const made = summary();
  if (made === null) throw new Error('there is no summary');
  return { zip, summary: made, ...contentsOf(zip) };
}

function contentsOf(zip: Buffer): Pick<Packed, 'names' | 'text' | 'bytes'> {
  const entries = zipEntries(zip);
  const bytes = (name: string): Buffer => {
    const content = entries.get(name);
    if (content === undefined) throw new Error(`there is no ${name} in the ZIP file`);
    return content();
  };
  return { names: [...entries.keys()], text: (name) => bytes(name).toString('utf8'), bytes };
}
