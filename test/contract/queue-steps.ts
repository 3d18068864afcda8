import type { Delivery, WorkQueue } from '../../shared/ports/queue.ts';

export const VISIBILITY = 30_000;

export const accounts = (deliveries: readonly Delivery[]): readonly string[] =>
  deliveries.map(({ message }) => (message.kind === 'account' ? message.accountId : message.kind)).sort();

export const lanes = (deliveries: readonly Delivery[]): readonly string[] => [
  ...new Set(deliveries.map(({ lane }) => lane)),
];

/** Receives until the queue is empty. A queue may return fewer messages than requested. */
export async function receiveAll(queue: WorkQueue, visibilityMs = VISIBILITY): Promise<readonly Delivery[]> {
  const all: Delivery[] = [];
  for (;;) {
    const some = await queue.receive(10, visibilityMs);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

export async function receiveOne(queue: WorkQueue, visibilityMs = VISIBILITY): Promise<Delivery> {
  const [delivery] = await queue.receive(1, visibilityMs);
  if (delivery === undefined) throw new Error('nothing was visible');
  return delivery;
}
