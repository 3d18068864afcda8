import type * as z from 'zod';
import { parseOutside } from '../domain/outside.ts';

/** A function was invoked with something else than what invokes it in a deployment. */
export class EventError extends Error {
  override readonly name = 'EventError';
}

const SHOWN = 3;

/**
 * Reads what a function was invoked with.
 * @param expected what it has to be, for people: "an event of SQS with at least one record"
 * @throws EventError that says where it differs, what was found and what was expected
 */
export function readEvent<S extends z.ZodType>(schema: S, event: unknown, expected: string): z.output<S> {
  const parsed = parseOutside(schema, event);
  if (parsed.success) return parsed.data;
  throw new EventError(`This function was invoked with something else than ${expected}: ${faultsOf(parsed.error)}.`);
}

/** Where something differs from its shape, in a sentence of bounded length: `detail.runId: expected string, received undefined`. */
export function faultsOf({ issues }: { readonly issues: readonly z.core.$ZodIssue[] }): string {
  const faults = issues.slice(0, SHOWN).map(({ path, message }) => {
    const where = path.map(String).join('.').slice(0, 100) || 'the event';
    return `${where}: ${message.replace(/^Invalid input: /, '').slice(0, 200)}`;
  });
  const more = issues.length - faults.length;
  return `${faults.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
