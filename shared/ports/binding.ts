/** The credentials, or the backup to restore, belong to another organization than the store. Nothing was written. */
export class OtherOrganizationError extends Error {
  override readonly name = 'OtherOrganizationError';
  readonly code = 'OtherOrganization';
}
