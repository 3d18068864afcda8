import * as z from 'zod';
import type { ChangedBy } from './ledger.ts';
import { parseOutside } from './outside.ts';
import type { AccountId, Enrollment } from './types.ts';

/*
 * What CloudTrail records and EventBridge delivers, read with suspicion: an event says where to look and who called, never what is so.
 * Everything that follows from one is read again from AWS.
 */

const accountId = z.string().regex(/^\d{12}$/);

const event = z.object({
  id: z.string().max(200).optional().catch(undefined),
  'detail-type': z.string(),
  /** Nobody but AWS can put an event with such a source on a bus [API_PutEvents]. */
  source: z.string().startsWith('aws.', 'is not a service of AWS'),
  /** The account in which it happened, set by EventBridge itself. */
  account: accountId,
  time: z.string().optional().catch(undefined),
  detail: z.object({
    eventSource: z.string(),
    eventName: z.string(),
    eventTime: z.string().optional().catch(undefined),
    errorCode: z.string().nullish(),
    requestID: z.string().max(200).nullish().catch(null),
    recipientAccountId: z.string().nullish(),
    userIdentity: z.looseObject({}).nullish().catch(null),
    requestParameters: z.looseObject({}).nullish(),
    serviceEventDetails: z.looseObject({}).nullish(),
  }),
});
type CloudTrailEvent = z.infer<typeof event>;

/** What an event is, as far as we are concerned. */
export type Heard =
  | {
      readonly kind: 'enrollment';
      readonly enrollment: Enrollment;
      readonly accountIds: readonly AccountId[];
      /** The whole organization was meant, not the named account alone. */
      readonly wide: boolean;
      readonly from: AccountId;
      readonly by: ChangedBy;
    }
  | {
      readonly kind: 'organization';
      readonly event: string;
      readonly accountIds: readonly AccountId[];
      /** More accounts than it names are touched: an OU was renamed, trusted access was switched. */
      readonly wide: boolean;
      readonly from: AccountId;
    }
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'rejected'; readonly why: string };

/** Sources whose calls change an enrollment; Compute Optimizer's is written in two ways (model and documents). */
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  'computeoptimizer.amazonaws.com': ['UpdateEnrollmentStatus'],
  'compute-optimizer.amazonaws.com': ['UpdateEnrollmentStatus'],
  'aco-automation.amazonaws.com': ['UpdateEnrollmentConfiguration', 'AssociateAccounts', 'DisassociateAccounts'],
};
const ORGANIZATIONS = 'organizations.amazonaws.com';
/** About accounts that it names; of the last ones, the account that calls. */
const ABOUT_ACCOUNTS: ReadonlySet<string> = new Set([
  'AccountJoinedOrganization',
  'AccountDepartedOrganization',
  'CreateAccountResult',
  'CloseAccount',
  'CloseAccountResult',
  'MoveAccount',
  'RemoveAccountFromOrganization',
  'TagResource',
  'UntagResource',
]);
const ABOUT_CALLER: ReadonlySet<string> = new Set(['LeaveOrganization', 'AcceptHandshake']);
/** Paths of all accounts below an OU; whether members can be enrolled from outside at all. */
const ABOUT_ALL: ReadonlySet<string> = new Set([
  'UpdateOrganizationalUnit',
  'EnableAWSServiceAccess',
  'DisableAWSServiceAccess',
]);

/** Every event name that is of interest, by source: what the rules of `infra/` let through. */
export const EVENT_NAMES: Readonly<Record<string, readonly string[]>> = {
  ...SOURCES,
  [ORGANIZATIONS]: [...ABOUT_ACCOUNTS, ...ABOUT_CALLER, ...ABOUT_ALL],
};

/** AWS's batches name 50 accounts at most; whatever names more than this is taken to be about all. */
const MAX_NAMED = 200;
const MAX_ACTOR = 512;
const MAX_DEPTH = 6;

/** @param organizationId ours; an event that names another one is rejected. */
export function hear(raw: unknown, organizationId: string | null): Heard {
  const parsed = parseOutside(event, raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return rejected(
      `it is no event of CloudTrail's: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`,
    );
  }
  const { detail } = parsed.data;
  const { eventSource, eventName, errorCode } = detail;
  if (!Object.hasOwn(EVENT_NAMES, eventSource) || EVENT_NAMES[eventSource]?.includes(eventName) !== true) {
    return {
      kind: 'ignored',
      why: `nothing that we look at follows from ${clean(`${eventSource} ${eventName}`, 200)}`,
    };
  }
  if (errorCode) return { kind: 'ignored', why: 'AWS refused the call' };
  const other = organizationsIn(detail).find((id) => organizationId !== null && id !== organizationId);
  if (other !== undefined) return rejected(`it is about the organization ${other}, and ours is ${organizationId}`);
  return eventSource === ORGANIZATIONS ? organizationEvent(parsed.data) : enrollmentEvent(parsed.data);
}

const rejected = (why: string): Heard => ({ kind: 'rejected', why });

function enrollmentEvent(heard: CloudTrailEvent): Heard {
  const { account: from, detail } = heard;
  const { eventName, requestParameters: asked } = detail;
  const enrollment = eventName === 'UpdateEnrollmentStatus' ? 'computeOptimizer' : 'automation';
  const by = callerOf(heard);
  if (eventName === 'AssociateAccounts' || eventName === 'DisassociateAccounts') {
    const named = asked?.['accountIds'];
    const ids = Array.isArray(named) ? unique(named.filter(isAccountId)) : [];
    if (ids.length === 0) return rejected(`${eventName} names no account`);
    return {
      kind: 'enrollment',
      enrollment,
      accountIds: ids.slice(0, MAX_NAMED),
      wide: ids.length > MAX_NAMED,
      from,
      by,
    };
  }
  const recipient = detail.recipientAccountId ?? from;
  // Such a call acts on the account that makes it, and that is where it is recorded.
  if (recipient !== from) return rejected(`it comes from account ${from} and claims to be of another`);
  const wide = asked?.['includeMemberAccounts'] === true;
  return { kind: 'enrollment', enrollment, accountIds: [recipient], wide, from, by };
}

function organizationEvent({ account: from, detail }: CloudTrailEvent): Heard {
  const { eventName: name, requestParameters, serviceEventDetails } = detail;
  if (ABOUT_ALL.has(name)) return { kind: 'organization', event: name, accountIds: [], wide: true, from };
  if (ABOUT_CALLER.has(name)) return { kind: 'organization', event: name, accountIds: [from], wide: false, from };
  const named = unique([...accountsIn(requestParameters, 0), ...accountsIn(serviceEventDetails, 0)]);
  if (named.length > 0) {
    const wide = named.length > MAX_NAMED;
    return { kind: 'organization', event: name, accountIds: named.slice(0, MAX_NAMED), wide, from };
  }
  const tags = name === 'TagResource' || name === 'UntagResource' || name === 'CreateAccountResult';
  return tags ? { kind: 'ignored', why: `${name} of no account` } : rejected(`${name} names no account`);
}

/** Fields that name the account an event is about, at whatever depth: service events have nested and renamed them over time. */
const NAMES_ACCOUNT: ReadonlySet<string> = new Set(['accountid', 'memberaccountid', 'resourceid', 'childid']);

function accountsIn(value: unknown, depth: number): AccountId[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value)
    .slice(0, MAX_NAMED)
    .flatMap(([name, held]) => {
      if (!NAMES_ACCOUNT.has(name.toLowerCase())) return accountsIn(held, depth + 1);
      return isAccountId(held) ? [held] : [];
    });
}

/** Ids of organizations that an event mentions. */
function organizationsIn({ requestParameters, serviceEventDetails }: CloudTrailEvent['detail']): readonly string[] {
  return [requestParameters, serviceEventDetails].flatMap((part) => {
    const id = part?.['organizationId'];
    return typeof id === 'string' && /^o-[a-z0-9]{10,32}$/.test(id) ? [id] : [];
  });
}

function isAccountId(value: unknown): value is AccountId {
  return accountId.safeParse(value).success;
}

const unique = (ids: readonly AccountId[]): readonly AccountId[] => [...new Set(ids)];

/** Who called, by the best that CloudTrail says of it. */
function callerOf({ account, time, detail }: CloudTrailEvent): ChangedBy {
  const { userIdentity, eventName: operation, requestID, eventTime } = detail;
  const names = [userIdentity?.['arn'], userIdentity?.['invokedBy'], userIdentity?.['principalId']];
  const name = names.find((each) => typeof each === 'string' && each !== '');
  const at = [eventTime, time].find((each) => each !== undefined && !Number.isNaN(Date.parse(each)));
  return {
    actor: typeof name === 'string' ? clean(name, MAX_ACTOR) : `someone in account ${account}`,
    operation,
    requestId: requestID ? clean(requestID, 200) : null,
    at: at === undefined ? '' : new Date(Date.parse(at)).toISOString(),
  };
}

/** Without what could disturb a terminal or a log. */
function clean(text: string, most: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, most);
}
