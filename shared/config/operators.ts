import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** Whether the ARN of a caller may operate. */
export type IsOperator = (arn: string) => boolean;

const ARN = /^arn:(aws[a-z-]*):(iam|sts)::(\d{12}):(user|role|assumed-role)\/([\w+=,.@/-]+)$/;

/**
 * `ROLLCALL_OPERATORS`: ARNs of the roles (with all their sessions) and users that may operate through the deployed API, separated by spaces or `|`. All
 * other callers may only read. @throws ConfigError
 */
export function readOperators(env: Environment): IsOperator {
  const given = (env['ROLLCALL_OPERATORS'] ?? '').split(/[\s|]+/).filter((text) => text !== '');
  const allowed = new Set(
    given.map((text) => {
      const who = whoOf(text);
      if (who !== null) return who;
      const expected = 'the ARN of a role or user, such as arn:aws:iam::111122223333:role/FinOps';
      throw new ConfigError('Environment', `ROLLCALL_OPERATORS has ${JSON.stringify(text)}: expected ${expected}.`);
    }),
  );
  return (arn) => {
    const who = whoOf(arn);
    return who !== null && allowed.has(who);
  };
}

/** The user or role of an ARN, without a role's path, because the ARN of a role's session lacks it [reference_identifiers, assumed-role ARN]. */
function whoOf(arn: string): string | null {
  const [, partition, , account, kind, name = ''] = ARN.exec(arn) ?? [];
  if (kind === undefined) return null;
  const parts = name.split('/');
  if (kind === 'user') return `${partition} ${account} user ${name}`;
  const role = kind === 'assumed-role' ? parts[0] : parts.at(-1);
  return `${partition} ${account} role ${role}`;
}
