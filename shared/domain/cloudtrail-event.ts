import * as z from 'zod';
import { actionOf, type EnrollmentId, KINDS } from './enrollment/kinds/index.ts';
import type { AccountId } from './enrollment/model.ts';
import { asAccountId, contentOf, isAccountId, listOf } from './event-content.ts';
import type { ChangedBy } from './ledger/entry.ts';
import { safeParseUntrusted } from './safe-parse.ts';

/*
 * What CloudTrail records and EventBridge delivers, read with suspicion: an event says where to look and who called, never what is so.
 * Everything that follows from one is read again from AWS.
 */

const accountId = z.preprocess(asAccountId, z.string().refine(isAccountId));

/** The fields around `detail`, which EventBridge sets itself. */
const envelope = z.object({
  id: z.string().max(200).optional().catch(undefined),
  'detail-type': z.string(),
  /** Nobody but AWS can put an event with such a source on a bus [API_PutEvents]. */
  source: z.string().startsWith('aws.', 'is not a service of AWS'),
  /** The account in which it happened. */
  account: accountId,
  time: z.string().optional().catch(undefined),
  detail: z.unknown(),
});

const detailShape = z.object({
  eventSource: z.string(),
  eventName: z.string(),
  eventTime: z.string().optional().catch(undefined),
  errorCode: z.string().nullish(),
  requestID: z.string().max(200).nullish().catch(null),
  recipientAccountId: z.preprocess(asAccountId, z.string().nullish()).optional(),
  userIdentity: z.unknown().optional().transform(contentOf),
  /** `null`: missing or unusable. */
  requestParameters: z.unknown().optional().transform(contentOf),
  serviceEventDetails: z.unknown().optional().transform(contentOf),
});
type CloudTrailEvent = Omit<z.infer<typeof envelope>, 'detail'> & { readonly detail: z.infer<typeof detailShape> };

/** Why part of an event's content is unusable; a scan then finds the change. Absent: all of it is usable. */
interface MaybeUnclear {
  readonly unclear?: string;
}

/** What an event is, as far as we are concerned. */
export type ParsedEvent =
  | ({
      readonly kind: 'enrollment';
      readonly enrollment: EnrollmentId;
      readonly accountIds: readonly AccountId[];
      /** The whole organization was meant, not the named account alone. */
      readonly wide: boolean;
      readonly from: AccountId;
      readonly by: ChangedBy;
    } & MaybeUnclear)
  | ({
      readonly kind: 'organization';
      readonly event: string;
      readonly accountIds: readonly AccountId[];
      /** More accounts than it names are touched: an OU was renamed, trusted access was switched. */
      readonly wide: boolean;
      readonly from: AccountId;
    } & MaybeUnclear)
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'rejected'; readonly why: string };

/** The kind whose enrollment the calls of an event source change. */
const KIND_OF_SOURCE = new Map(KINDS.flatMap((kind) => kind.eventSources.map((source) => [source, kind] as const)));
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
  ...Object.fromEntries(
    KINDS.flatMap(({ eventSources, actions }) =>
      eventSources.map((source) => [source, actions.map(({ operation }) => operation)]),
    ),
  ),
  [ORGANIZATIONS]: [...ABOUT_ACCOUNTS, ...ABOUT_CALLER, ...ABOUT_ALL],
};

/** AWS's batches name 50 accounts at most; whatever names more than this is taken to be about all. */
const MAX_NAMED = 200;
const MAX_ACTOR = 512;
const MAX_DEPTH = 6;

/** EventBridge sources under which such events arrive. */
const EVENT_SOURCES: ReadonlySet<string> = new Set(
  Object.keys(EVENT_NAMES).map((source) => `aws.${source.split('.')[0] ?? ''}`),
);

/** @param organizationId ours; an event that names another one is rejected. */
export function parseCloudTrailEvent(raw: unknown, organizationId: string | null): ParsedEvent {
  const parsed = safeParseUntrusted(envelope, raw);
  if (!parsed.success) return malformed(parsed.error.issues);
  const { detail: given, ...around } = parsed.data;
  const content = contentOf(given);
  if (content === null && typeof given === 'string' && EVENT_SOURCES.has(around.source)) {
    const event = `an event of ${around.source}`;
    const unclear = `${event} has a detail that is not JSON`;
    return { kind: 'organization', event, accountIds: [], wide: false, from: around.account, unclear };
  }
  const read = safeParseUntrusted(detailShape, content);
  if (!read.success)
    return malformed(read.error.issues.map((issue) => ({ ...issue, path: ['detail', ...issue.path] })));
  const heard = { ...around, detail: read.data };
  const { eventSource, eventName, errorCode } = heard.detail;
  if (!Object.hasOwn(EVENT_NAMES, eventSource) || EVENT_NAMES[eventSource]?.includes(eventName) !== true) {
    return {
      kind: 'ignored',
      why: `nothing that we look at follows from ${clean(`${eventSource} ${eventName}`, 200)}`,
    };
  }
  if (errorCode) return { kind: 'ignored', why: 'AWS refused the call' };
  const other = organizationsIn(heard.detail).find((id) => organizationId !== null && id !== organizationId);
  if (other !== undefined) return rejected(`it is about the organization ${other}, and ours is ${organizationId}`);
  const kind = KIND_OF_SOURCE.get(eventSource);
  return kind === undefined ? organizationEvent(heard) : enrollmentEvent(heard, kind.id);
}

const rejected = (why: string): ParsedEvent => ({ kind: 'rejected', why });

function malformed([issue]: readonly z.core.$ZodIssue[]): ParsedEvent {
  return rejected(`not a CloudTrail event: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`);
}

const unclearly = (unclear: boolean, name: string): MaybeUnclear =>
  unclear ? { unclear: `${name} does not name its accounts in a usable form` } : {};

function enrollmentEvent(heard: CloudTrailEvent, enrollment: EnrollmentId): ParsedEvent {
  const { account: from, detail } = heard;
  const { eventName, requestParameters: asked } = detail;
  const scopes = actionOf(enrollment, eventName)?.scopes ?? [];
  const by = callerOf(heard);
  if (scopes.includes('batch')) {
    const named = listOf(asked?.['accountIds']);
    const ids = unique(named?.filter(isAccountId) ?? []);
    const unclear = named === null || named.some((id) => typeof id !== 'string');
    if (ids.length === 0 && !unclear) return rejected(`${eventName} names no account`);
    return {
      kind: 'enrollment',
      enrollment,
      accountIds: ids.slice(0, MAX_NAMED),
      wide: ids.length > MAX_NAMED,
      from,
      by,
      ...unclearly(unclear, eventName),
    };
  }
  const recipient = detail.recipientAccountId ?? from;
  // Such a call acts on the account that makes it, and that is where it is recorded.
  if (recipient !== from) return rejected(`it comes from account ${from} and claims to be of another`);
  const wide = asked?.['includeMemberAccounts'] === true;
  // Without its parameters the call may have been about all member accounts.
  const unclear = unclearly(asked === null && scopes.includes('organization'), eventName);
  return { kind: 'enrollment', enrollment, accountIds: [recipient], wide, from, by, ...unclear };
}

function organizationEvent({ account: from, detail }: CloudTrailEvent): ParsedEvent {
  const { eventName: name, requestParameters, serviceEventDetails } = detail;
  if (ABOUT_ALL.has(name)) return { kind: 'organization', event: name, accountIds: [], wide: true, from };
  if (ABOUT_CALLER.has(name)) return { kind: 'organization', event: name, accountIds: [from], wide: false, from };
  const values = [...namesIn(requestParameters, 0), ...namesIn(serviceEventDetails, 0)];
  const named = unique(values.filter(isAccountId));
  const empty = requestParameters === null && serviceEventDetails === null;
  const unclear = empty || values.some((value) => typeof value !== 'string');
  if (named.length > 0 || unclear) {
    const wide = named.length > MAX_NAMED;
    const accountIds = named.slice(0, MAX_NAMED);
    return { kind: 'organization', event: name, accountIds, wide, from, ...unclearly(unclear, name) };
  }
  const tags = name === 'TagResource' || name === 'UntagResource' || name === 'CreateAccountResult';
  return tags ? { kind: 'ignored', why: `${name} of no account` } : rejected(`${name} names no account`);
}

/** Fields that name the account an event is about, at whatever depth: service events have nested and renamed them over time. */
const NAMES_ACCOUNT: ReadonlySet<string> = new Set(['accountid', 'memberaccountid', 'resourceid', 'childid']);

/** The values of those fields. */
function namesIn(value: unknown, depth: number): readonly unknown[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value)
    .slice(0, MAX_NAMED)
    .flatMap(([name, held]) => {
      if (!NAMES_ACCOUNT.has(name.toLowerCase())) return namesIn(held, depth + 1);
      return held === null || held === undefined ? [] : [held];
    });
}

/** Ids of organizations that an event mentions. */
function organizationsIn({ requestParameters, serviceEventDetails }: CloudTrailEvent['detail']): readonly string[] {
  return [requestParameters, serviceEventDetails].flatMap((part) => {
    const id = part?.['organizationId'];
    return typeof id === 'string' && /^o-[a-z0-9]{10,32}$/.test(id) ? [id] : [];
  });
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
