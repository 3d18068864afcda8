/** Another policy is in force, so this process must make no changes: its policy is outdated, or is not in force before its first scan. */
export class OutdatedPolicyError extends Error {
  override readonly name = 'OutdatedPolicyError';

  constructor(ours: string, inForce: string) {
    super(
      `Policy ${inForce.slice(0, 12)} is in force on this store, but this process works under policy ${ours.slice(0, 12)}. ` +
        'All work so far is recorded. Start it again with the policy that is in force.',
    );
  }
}
