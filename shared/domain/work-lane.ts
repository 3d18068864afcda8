/**
 * What a message waits behind on the work queue. `urgent`: keys of events and operators, opt-outs, and keys that are due in small numbers. `bulk`:
 * the changes of a plan, and everything else that arrives in large numbers. Bulk messages never delay urgent ones.
 */
export type Lane = 'urgent' | 'bulk';

/** If more messages than this are sent together, others would notice their wait, so the messages are bulk. */
const MOST_URGENT = 100;

/** The lane of messages that are sent together and belong to neither lane by their origin. */
export function laneOf(messages: number): Lane {
  return messages > MOST_URGENT ? 'bulk' : 'urgent';
}
