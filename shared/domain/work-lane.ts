/**
 * The priority of a message on the work queue. `urgent`: keys of events and operators, opt-outs, and keys that are due in small numbers. `bulk`:
 * the changes of a plan, and everything else that arrives in large numbers. Bulk messages never delay urgent ones.
 */
export type Lane = 'urgent' | 'bulk';

/** More messages than this, sent together, would delay others noticeably, so they are bulk. */
const MOST_URGENT = 100;

/** The lane of messages that are sent together and whose origin does not decide the lane. */
export function laneOf(messages: number): Lane {
  return messages > MOST_URGENT ? 'bulk' : 'urgent';
}
