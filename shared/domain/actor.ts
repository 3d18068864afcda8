const ASSUMED_ROLE = /^arn:[\w-]+:sts::\d{12}:assumed-role\/([^/]+)\/(.+)$/;
const ROOT = /^arn:[\w-]+:iam::(\d{12}):root$/;
const ARN = /^arn:[\w-]+:[^:]*:[^:]*:(?:\d{12})?:(?:.*[/:])?([^/:]+)$/;
/** Session names that AWS or an SDK generates. They identify nobody, so the role's name is shown instead. */
const UNNAMED_SESSION = /^(?:[\d.-]+|i-[0-9a-f]+|botocore-session-\d+|aws-sdk-.*|[0-9a-f-]{20,})$/;
const LABEL = /^(?:token|user):(.+)$/;

/**
 * The short name of an actor, for lists: the session or role name of an ARN, or the name of a token or user. Show the whole actor on hover.
 * @param actor an ARN, `token:NAME`, `user:NAME`, or another name that CloudTrail has
 */
export function actorName(actor: string): string {
  const [, role, session] = ASSUMED_ROLE.exec(actor) ?? [];
  if (role !== undefined && session !== undefined) return UNNAMED_SESSION.test(session) ? role : session;
  const [, account] = ROOT.exec(actor) ?? [];
  if (account !== undefined) return `root of ${account}`;
  return ARN.exec(actor)?.[1] ?? LABEL.exec(actor)?.[1] ?? actor;
}

/** The value of the filter `changedBy` for drift whose caller is unknown. */
export const NOBODY_NAMED = 'unknown';

const PLACE = /^arn:[\w-]+:(?:iam|sts)::(\d{12}):(user|role|assumed-role|root)/;
const KINDS: Readonly<Record<string, string>> = {
  user: 'user',
  role: 'role',
  'assumed-role': 'role',
  root: 'root user',
};

/** What an actor is and where: `role in account 444455556666`; `null`: not known. */
export function actorPlace(actor: string): string | null {
  const [, account, kind = ''] = PLACE.exec(actor) ?? [];
  return account === undefined ? null : `${KINDS[kind] ?? 'caller'} in account ${account}`;
}
