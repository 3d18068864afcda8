/** A policy's text as it was found. */
export interface PolicyText {
  /** Differs whenever the text may differ. */
  readonly version: string;
  readonly bytes: Uint8Array;
  /** Names the place, for findings. */
  readonly name: string;
}

/** Where the policy is kept. Promise: one look is one text, never a mixture of two. */
export interface PolicySource {
  /**
   * @param known the version that the caller has; `null` if none.
   * @returns `null` if it is still that version.
   * @throws PolicyUnreadableError if there is none, or it may not be read.
   */
  read(known: string | null): Promise<PolicyText | null>;
  close(): void;
}

export class PolicyUnreadableError extends Error {
  override readonly name = 'PolicyUnreadableError';
}
