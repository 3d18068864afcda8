/** The call with which a member role is assumed; errors of it name no other operation. */
const ASSUME = /\bAssumeRole\b/;

/** Whether AWS refused the member role itself, so that nothing in the account can be read or changed. `doctor` shows how to fix it. */
export function isRoleDenied({
  reason,
  message,
}: {
  readonly reason: string | null;
  readonly message: string | null;
}): boolean {
  return reason === 'denied' && ASSUME.test(message ?? '');
}
