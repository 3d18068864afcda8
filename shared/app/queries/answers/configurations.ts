import * as z from 'zod';
import { complianceStatus, list, ruleMode, textOrNull } from './common.ts';

/** An organization enrollment configuration of Automation. */
export const configuration = z.object({
  targetId: textOrNull.describe('The id of the root, OU or account; null: AWS has not named it yet'),
  target: textOrNull.describe("The path of the root or OU, or the account's id; null: not known"),
  ruleMode: ruleMode.nullable(),
  owner: z.enum(['rollcall', 'other']).describe('Who stored it'),
  wanted: list(z.enum(['AnyAllowed', 'NoneAllowed', 'Active', 'Inactive', 'unmanaged'])).describe(
    'What the policy wants in the accounts to which it applies',
  ),
  accounts: z.number().describe('Accounts to which it applies'),
  differing: z.number().describe('Accounts among them that it keeps from the desired state'),
  status: complianceStatus,
  message: textOrNull.describe('What to do, or what happens next'),
});
