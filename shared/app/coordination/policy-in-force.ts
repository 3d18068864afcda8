import * as z from 'zod';

/** The register that says which policy was scanned last: the one in force. */
export const POLICY_REGISTER = 'policy';

export const policySchema = z.object({ hash: z.string() });
