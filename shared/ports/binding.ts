/** The store, or a backup, belongs to another organization than the one that was meant. Nothing was written. */
export class OtherOrganizationError extends Error {
  override readonly name = 'OtherOrganizationError';
  readonly code = 'OtherOrganization';
}
