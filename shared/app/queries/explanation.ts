import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import { sourceText } from '../../domain/enrollment/governing-configuration.ts';
import { ASSOCIABLE } from '../../domain/enrollment/kinds/index.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { explanation } from './answers/accounts.ts';

/** `policy explain ID` in the command line, the API and the account view. */
export type ExplanationView = z.infer<typeof explanation>;

/**
 * What the policy declares for an account, and what determines its rule mode in AWS.
 * @param record its recorded state; `null`: none, or `account` is a description that need not match the real account
 * @throws TagsNotReadError if the policy uses tags and the account's tags have not been read
 */
export function explain(
  policy: CompiledPolicy,
  account: OrganizationAccount,
  record: AccountRecord | null,
): ExplanationView {
  const condition = record?.conditions[ASSOCIABLE] ?? null;
  const ruleModeSource = condition === null ? null : sourceText(condition, account.id, account);
  return { ...policy.explain(account), ruleModeSource };
}
