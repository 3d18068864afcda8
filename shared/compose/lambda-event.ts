import type * as z from 'zod';
import { safeParseUntrusted } from '../domain/safe-parse.ts';

/** A function was invoked with an event that it does not expect. */
class EventError extends Error {
  override readonly name = 'EventError';
}

/** Maximum number of differences that a message names. */
const SHOWN = 3;

/** @param expected names the event in the message: "an SQS event with at least one record" @throws EventError that names the differences */
export function readEvent<S extends z.ZodType>(schema: S, event: unknown, expected: string): z.output<S> {
  const parsed = safeParseUntrusted(schema, event);
  if (parsed.success) return parsed.data;
  throw new EventError(`This function was not invoked with ${expected}: ${faultsOf(parsed.error)}.`);
}

/** The differences from the schema, in a text of limited length: `detail.runId: expected string, received undefined`. */
export function faultsOf({ issues }: { readonly issues: readonly z.core.$ZodIssue[] }): string {
  const faults = issues.slice(0, SHOWN).map(({ path, message }) => {
    const where = path.map(String).join('.').slice(0, 100) || 'the event';
    return `${where}: ${message.replace(/^Invalid input: /, '').slice(0, 200)}`;
  });
  const more = issues.length - faults.length;
  return `${faults.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
