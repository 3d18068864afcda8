import * as z from 'zod';
import { isOuPath } from '../domain/policy/file/values.ts';
import { safeParseUntrusted } from '../domain/safe-parse.ts';
import { ConfigError } from './config-error.ts';
import { readJsonFile } from './text-file.ts';

const attributes = z.strictObject({
  id: z
    .string()
    .regex(/^\d{12}$/, 'an account id: 12 digits in quotes')
    .exactOptional(),
  name: z.string().exactOptional(),
  ou: z.string().refine(isOuPath, 'the path of an OU, like /Workloads/Prod').exactOptional(),
  tags: z.record(z.string(), z.string()).exactOptional(),
  state: z.enum(['ACTIVE', 'SUSPENDED', 'PENDING_ACTIVATION', 'PENDING_CLOSURE', 'CLOSED', 'UNKNOWN']).exactOptional(),
  management: z.boolean().exactOptional(),
});

/** The account attributes that the user gives. The others come from the store or from AWS. */
export type Attributes = Readonly<z.output<typeof attributes>>;

/** Reads `--attributes`: JSON text, or `@FILE` for a file that contains JSON. @throws ConfigError, FileError */
export function readAttributes(text: string): Attributes {
  const parsed = safeParseUntrusted(attributes, text.startsWith('@') ? readJsonFile(text.slice(1)) : fromJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? '' : ` ${issue.path.map(String).join('.')}:`;
  const keys = 'id, name, ou, tags, state, management';
  const found = `${at} ${issue?.message ?? 'unreadable'}`;
  throw new ConfigError('Usage', `--attributes:${found}. Expected a JSON object with any of ${keys}.`);
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const example = `'{"name":"pay-prod","ou":"/Workloads/Prod"}'`;
    throw new ConfigError('Usage', `--attributes is not JSON (${reason}): expected for example ${example}, or @FILE.`, {
      cause: error,
    });
  }
}
