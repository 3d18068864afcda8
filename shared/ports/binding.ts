/** The store or the backup belongs to another organization than the credentials or the store. Nothing was written. */
export class OtherOrganizationError extends Error {
  override readonly name = 'OtherOrganizationError';
  readonly code = 'OtherOrganization';
}
