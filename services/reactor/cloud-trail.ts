import { z } from 'zod';

const accountId = z.string().regex(/^\d{12}$/);
const ids = z.array(accountId).catch([]);

/** What is read of an event that CloudTrail records and EventBridge delivers; everything else in it is ignored. */
export const cloudTrailEvent = z.object({
  id: z.string().optional(),
  'detail-type': z.string(),
  account: accountId,
  detail: z.object({
    eventSource: z.string(),
    eventName: z.string(),
    errorCode: z.string().nullish(),
    recipientAccountId: accountId.nullish(),
    requestParameters: z
      .object({ accountId: accountId.optional().catch(undefined), resourceId: z.string().optional(), accountIds: ids })
      .partial()
      .nullish(),
    serviceEventDetails: z
      .object({
        createAccountStatus: z.object({ accountId: accountId.optional() }).optional(),
        accountId: accountId.optional(),
      })
      .nullish(),
  }),
});
export type CloudTrailEvent = z.infer<typeof cloudTrailEvent>;

/** Sources whose calls change an enrollment; Compute Optimizer's is written in two ways (model and documents). */
const ENROLLMENT_SOURCES: ReadonlySet<string> = new Set([
  'computeoptimizer.amazonaws.com',
  'compute-optimizer.amazonaws.com',
  'aco-automation.amazonaws.com',
]);
const ENROLLMENT_CALLS: ReadonlySet<string> = new Set([
  'UpdateEnrollmentStatus',
  'UpdateEnrollmentConfiguration',
  'AssociateAccounts',
  'DisassociateAccounts',
]);
const ORGANIZATIONS = 'organizations.amazonaws.com';

/** The accounts that an event is about; none for one that changes nothing we look at, and for a call that AWS refused. */
export function accountsOf({ account, detail }: CloudTrailEvent): readonly string[] {
  const { eventSource, eventName, errorCode, requestParameters: asked, serviceEventDetails: done } = detail;
  if (errorCode) return [];
  if (ENROLLMENT_SOURCES.has(eventSource)) {
    if (!ENROLLMENT_CALLS.has(eventName)) return [];
    const batch = asked?.accountIds ?? [];
    // Such a call acts on the account that makes it; one event for the whole organization is left to the next scan.
    return batch.length > 0 ? batch : [detail.recipientAccountId ?? account];
  }
  if (eventSource !== ORGANIZATIONS) return [];
  const named = [asked?.accountId, asked?.resourceId, done?.createAccountStatus?.accountId, done?.accountId];
  return [...new Set(named.flatMap((id) => (accountId.safeParse(id).success && id !== undefined ? [id] : [])))];
}
