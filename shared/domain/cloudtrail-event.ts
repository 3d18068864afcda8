import * as z from 'zod';
import { actionOf, type EnrollmentId, KINDS } from './enrollment/kinds/index.ts';
import type { AccountId } from './enrollment/model.ts';
import { asAccountId, contentOf, isAccountId, listOf } from './event-content.ts';
import type { ChangedBy } from './ledger/entry.ts';
import { safeParseUntrusted } from './safe-parse.ts';

/*
 * Parses CloudTrail events from EventBridge. An event is not trusted: it only shows which accounts to reconcile and who made a
 * call. The state of these accounts is always read from AWS.
 */

const accountId = z.preprocess(asAccountId, z.string().refine(isAccountId));

/** The fields around `detail`, which EventBridge sets itself. */
const envelope = z.object({
  id: z.string().max(200).optional().catch(undefined),
  'detail-type': z.string(),
  /** Only AWS can put an event with such a source on a bus [API_PutEvents]. */
  source: z.string().startsWith('aws.', 'is not an AWS service'),
  /** The account in which the event happened. */
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

/** Why part of an event's content is unusable, so that only a scan can find the change; absent: all of it is usable. */
interface MaybeUnclear {
  readonly unclear?: string;
}

export type ParsedEvent =
  | ({
      readonly kind: 'enrollment';
      readonly enrollment: EnrollmentId;
      readonly accountIds: readonly AccountId[];
      /** The call was for the whole organization, an OU or the root, not only for the named accounts. */
      readonly wide: boolean;
      readonly from: AccountId;
      readonly by: ChangedBy;
    } & MaybeUnclear)
  | ({
      readonly kind: 'organization';
      readonly event: string;
      readonly accountIds: readonly AccountId[];
      /** The event affects more accounts than it names: an OU was renamed, or trusted access was switched. */
      readonly wide: boolean;
      readonly from: AccountId;
    } & MaybeUnclear)
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'rejected'; readonly why: string };

/** The kind whose enrollment the calls of an event source change. */
const KIND_OF_SOURCE = new Map(KINDS.flatMap((kind) => kind.eventSources.map((source) => [source, kind] as const)));
const ORGANIZATIONS = 'organizations.amazonaws.com';
/** Events about the accounts that they name. */
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
/** Events about the calling account. */
const ABOUT_CALLER: ReadonlySet<string> = new Set(['LeaveOrganization', 'AcceptHandshake']);
/** Events that may affect any account: they change the paths of all accounts in an OU, or whether members can be enrolled. */
const ABOUT_ALL: ReadonlySet<string> = new Set([
  'UpdateOrganizationalUnit',
  'EnableAWSServiceAccess',
  'DisableAWSServiceAccess',
]);

/** The handled event names by source. The rules in `infra/` match these. */
export const EVENT_NAMES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    KINDS.flatMap(({ eventSources, actions }) =>
      eventSources.map((source) => [source, actions.map(({ operation }) => operation)]),
    ),
  ),
  [ORGANIZATIONS]: [...ABOUT_ACCOUNTS, ...ABOUT_CALLER, ...ABOUT_ALL],
};

/** An event that names more accounts is treated as affecting all accounts. AWS's batches name at most 50. */
const MAX_NAMED = 200;
const MAX_ACTOR = 512;
const MAX_DEPTH = 6;

/** The EventBridge sources of the handled events. */
const EVENT_SOURCES: ReadonlySet<string> = new Set(
  Object.keys(EVENT_NAMES).map((source) => `aws.${source.split('.')[0] ?? ''}`),
);

/** @param organizationId our organization; an event that names another one is rejected. `null`: not known. */
export function parseCloudTrailEvent(raw: unknown, organizationId: string | null): ParsedEvent {
  const parsed = safeParseUntrusted(envelope, raw);
  if (!parsed.success) return malformed(parsed.error.issues);
  const { detail: given, ...around } = parsed.data;
  const content = contentOf(given);
  if (content === null && typeof given === 'string' && EVENT_SOURCES.has(around.source)) {
    const name = `an event of ${around.source}`;
    const unclear = `${name} has a detail that is not JSON`;
    return { kind: 'organization', event: name, accountIds: [], wide: false, from: around.account, unclear };
  }
  const read = safeParseUntrusted(detailShape, content);
  if (!read.success)
    return malformed(read.error.issues.map((issue) => ({ ...issue, path: ['detail', ...issue.path] })));
  const event = { ...around, detail: read.data };
  const { eventSource, eventName, errorCode } = event.detail;
  if (!Object.hasOwn(EVENT_NAMES, eventSource) || EVENT_NAMES[eventSource]?.includes(eventName) !== true) {
    return {
      kind: 'ignored',
      why: `${clean(`${eventSource} ${eventName}`, 200)} does not affect enrollments`,
    };
  }
  if (errorCode) return { kind: 'ignored', why: 'AWS rejected the call' };
  const other = organizationsIn(event.detail).find((id) => organizationId !== null && id !== organizationId);
  if (other !== undefined) return rejected(`it is about organization ${other}, not ${organizationId}`);
  const kind = KIND_OF_SOURCE.get(eventSource);
  return kind === undefined ? organizationEvent(event) : enrollmentEvent(event, kind.id);
}

const rejected = (why: string): ParsedEvent => ({ kind: 'rejected', why });

function malformed([issue]: readonly z.core.$ZodIssue[]): ParsedEvent {
  return rejected(`not a CloudTrail event: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`);
}

const unclearIf = (unclear: boolean, name: string): MaybeUnclear =>
  unclear ? { unclear: `${name} does not name its accounts in a usable form` } : {};

function enrollmentEvent(event: CloudTrailEvent, enrollment: EnrollmentId): ParsedEvent {
  const { account: from, detail } = event;
  const { eventName, requestParameters: asked } = detail;
  const scopes = actionOf(enrollment, eventName)?.scopes ?? [];
  const by = callerOf(event);
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
      ...unclearIf(unclear, eventName),
    };
  }
  if (scopes.includes('configuration'))
    return { kind: 'enrollment', enrollment, from, by, ...targetOf(asked, eventName) };
  const recipient = detail.recipientAccountId ?? from;
  // A call that is not a batch changes the calling account, and CloudTrail records it there.
  if (recipient !== from) return rejected(`it comes from account ${from} but claims to be about another`);
  const wide = asked?.['includeMemberAccounts'] === true;
  // Without the parameters, it is unknown whether the call was for all member accounts.
  const unclear = unclearIf(asked === null && scopes.includes('organization'), eventName);
  return { kind: 'enrollment', enrollment, accountIds: [recipient], wide, from, by, ...unclear };
}

/** A configuration on an OU or the root may change every account below it, and those are not named. */
function targetOf(asked: CloudTrailEvent['detail']['requestParameters'], name: string) {
  const target = contentOf(asked?.['target']);
  const id = target?.['accountId'];
  if (isAccountId(id)) return { accountIds: [id], wide: false };
  return { accountIds: [], wide: true, ...unclearIf(typeof target?.['organizationalUnitId'] !== 'string', name) };
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
    return { kind: 'organization', event: name, accountIds, wide, from, ...unclearIf(unclear, name) };
  }
  const tags = name === 'TagResource' || name === 'UntagResource' || name === 'CreateAccountResult';
  return tags ? { kind: 'ignored', why: `${name} is not about an account` } : rejected(`${name} names no account`);
}

/** Fields that name the account of an event. They are searched at any depth, because AWS nests them in several ways. */
const NAMES_ACCOUNT: ReadonlySet<string> = new Set(['accountid', 'memberaccountid', 'resourceid', 'childid']);

function namesIn(value: unknown, depth: number): readonly unknown[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value)
    .slice(0, MAX_NAMED)
    .flatMap(([name, member]) => {
      if (!NAMES_ACCOUNT.has(name.toLowerCase())) return namesIn(member, depth + 1);
      return member === null || member === undefined ? [] : [member];
    });
}

function organizationsIn({ requestParameters, serviceEventDetails }: CloudTrailEvent['detail']): readonly string[] {
  return [requestParameters, serviceEventDetails].flatMap((part) => {
    const id = part?.['organizationId'];
    return typeof id === 'string' && /^o-[a-z0-9]{10,32}$/.test(id) ? [id] : [];
  });
}

const unique = (ids: readonly AccountId[]): readonly AccountId[] => [...new Set(ids)];

/** The caller, by the best name that CloudTrail has. */
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

/** Replaces everything except printable ASCII, because the text goes to terminals and logs. */
function clean(text: string, most: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, most);
}
