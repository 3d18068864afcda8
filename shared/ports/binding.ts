/** The credentials, or the backup to restore, belong to another organization than the store. Nothing was written. */
export class OtherOrganizationError extends Error {
  override readonly name = 'OtherOrganizationError';
  readonly code = 'OtherOrganization';
  /** The organization of the store, and that of the credentials; `null`: the message names them. */
  readonly owner: string | null;
  readonly found: string | null;

  constructor(message: string, organizations?: { readonly owner: string; readonly found: string }) {
    super(message);
    this.owner = organizations?.owner ?? null;
    this.found = organizations?.found ?? null;
  }
}
