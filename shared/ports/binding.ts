/** The store belongs to another organization than the credentials, or a backup to another organization than the store. Nothing was written. */
export class OtherOrganizationError extends Error {
  override readonly name = 'OtherOrganizationError';
  readonly code = 'OtherOrganization';
}
