/** The text of a policy as it was read. */
export interface PolicyText {
  /** Changes whenever the text may have changed. */
  readonly version: string;
  readonly bytes: Uint8Array;
  /** Where the text was read, for error messages. */
  readonly name: string;
}

/** Reads the policy. Promise: one read returns one version of the text, never a mixture of two. */
export interface PolicySource {
  /**
   * @param known the version that the caller has; `null` if none
   * @returns `null` if that is still the current version
   * @throws PolicyUnreadableError if the policy does not exist or cannot be read
   */
  read(known: string | null): Promise<PolicyText | null>;
  close(): void;
}

export class PolicyUnreadableError extends Error {
  override readonly name = 'PolicyUnreadableError';
}
