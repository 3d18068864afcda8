const ASSUMED_ROLE = /^arn:[\w-]+:sts::\d{12}:assumed-role\/([^/]+)\/(.+)$/;
const ARN = /^arn:[\w-]+:[^:]*:[^:]*:(?:\d{12})?:(?:.*[/:])?([^/:]+)$/;
/** Sessions that AWS or an SDK names. They say nothing, so the role's name stands for them. */
const UNNAMED_SESSION = /^(?:\d+|i-[0-9a-f]+|botocore-session-\d+|aws-sdk-.*|[0-9a-f-]{20,})$/;
const LABEL = /^(?:token|user):(.+)$/;

/** The short name of an actor, for lists: the session or role name of an ARN, or the name of a token or user. Show the whole actor on hover. */
export function actorName(actor: string): string {
  const [, role, session] = ASSUMED_ROLE.exec(actor) ?? [];
  if (role !== undefined && session !== undefined) return UNNAMED_SESSION.test(session) ? role : session;
  return ARN.exec(actor)?.[1] ?? LABEL.exec(actor)?.[1] ?? actor;
}
