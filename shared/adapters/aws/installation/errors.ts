import * as z from 'zod';
import { InstallationError } from '../../../ports/installation.ts';

const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'Forbidden',
  'UnauthorizedOperation',
  '403',
]);

/** Runs one call. @throws InstallationError that names the action that was refused, such as `s3:CreateBucket` */
export async function calling<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof InstallationError) throw error;
    throw explained(action, error);
  }
}

/** The error code of an answer of AWS or of the connection. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'Unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

const answered = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

/** Whether the caller lacks a permission. An answer to HEAD has no body, so no code either; only its status is known. */
export function isDenied(error: unknown): boolean {
  const code = errorCode(error);
  if (code !== 'Unknown') return DENIED.has(code);
  const { data } = answered.safeParse(error);
  return data?.$metadata.httpStatusCode === 403;
}

/** Whether the error of S3 or CloudFormation means that the object or stack does not exist. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (['NotFound', 'NoSuchBucket', 'NoSuchKey', '404'].includes(error.name)) return true;
  return error.name === 'ValidationError' && / does not exist$/.test(error.message);
}

function explained(action: string, error: unknown): InstallationError {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (isDenied(error)) {
    const hints = [
      ...(message === '' || message === code ? [] : [message]),
      'Fix: use credentials with the permissions of infra/examples/install-permissions.json, or ask an administrator to attach them',
    ];
    return new InstallationError('AccessDenied', `these credentials may not call ${action}`, { hints, cause: error });
  }
  return new InstallationError(code, `${action} failed`, { hints: [`${code}: ${message}`], cause: error });
}
