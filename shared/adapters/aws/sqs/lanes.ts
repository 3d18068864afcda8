import type { Lane } from '../../../domain/work-lane.ts';

/*
 * The lanes of the queue are SQS's fair queues: bulk messages share one message group, and urgent messages have none, so that SQS counts each of them as a
 * group of its own. A group that takes more than about a tenth of the consumers' time is noisy, and SQS then delivers the messages of all other groups
 * first [sqs-fair-queues-detailed]. A second queue would keep the lanes apart in every case, but Lambda polls each queue all the time, so the cost of
 * polling would double.
 */
const BULK_GROUP = 'bulk';

export function groupOf(lane: Lane): { readonly group?: string } {
  return lane === 'bulk' ? { group: BULK_GROUP } : {};
}

/** Messages without a group, such as those of earlier versions, are urgent. */
export function laneOfGroup(group: string | undefined): Lane {
  return group === BULK_GROUP ? 'bulk' : 'urgent';
}
