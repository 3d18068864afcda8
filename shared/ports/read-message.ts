import { safeParseUntrusted } from '../domain/safe-parse.ts';
import { type WorkMessage, workMessageSchema } from '../domain/work-message.ts';
import type { DeadLetterReason } from './queue.ts';

export type ReadMessage =
  | { readonly message: WorkMessage; readonly error: null }
  | { readonly message: null; readonly error: DeadLetterReason };

/** The message in a body, or why the body cannot be read: it is damaged or from another version. */
export function readMessage(body: string): ReadMessage {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch (error) {
    return unreadable(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = safeParseUntrusted(workMessageSchema, content);
  if (parsed.success) return { message: parsed.data, error: null };
  const [issue] = parsed.error.issues;
  return unreadable(
    `the body is not a message of this version: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

function unreadable(message: string): ReadMessage {
  return { message: null, error: { code: 'UnreadableMessage', message, entryId: null } };
}
