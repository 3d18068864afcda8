const ARN = /^arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):(user|role|assumed-role|federated-user|root)(?:\/(.+))?$/;

/**
 * The short name of an actor for lists: the user, the session of a role (its name if the session is unnamed or generated), or the text itself if it is no ARN.
 * @param actor an ARN, `token:NAME`, `user:NAME`, or another name that CloudTrail has
 */
export function actorName(actor: string): string {
  const [, account, kind, path = ''] = ARN.exec(actor) ?? [];
  if (kind === undefined) return actor.replace(/^(token|user):/, '');
  if (kind === 'root') return `root of ${account}`;
  const parts = path.split('/');
  const last = parts.at(-1) ?? '';
  if (kind !== 'assumed-role') return last;
  // Services and SDKs generate session names from digits, such as an epoch time or an instance id.
  return parts.length < 2 || /^[\d.-]+$|^i-[0-9a-f]+$|^[a-z-]*\d{10,}$/i.test(last) ? (parts[0] ?? last) : last;
}
