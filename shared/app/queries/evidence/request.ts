import type { VerifierKey } from '../../../domain/transparency/verifier-key.ts';

export interface EvidenceRequest {
  /** ISO 8601, inclusive. */
  readonly since: string;
  /** ISO 8601, exclusive. */
  readonly until: string;
  readonly organizationId: string | null;
  /** The version of Rollcall. */
  readonly version: string;
  /** The public key of the log; `null`: unknown. */
  readonly key: VerifierKey | null;
  /** `verify.html`. */
  readonly page: Uint8Array;
  /** Called with the number of entries read so far. */
  readonly onEntries?: (entries: number) => void;
}
