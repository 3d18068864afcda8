import type { AccountId, Enrollment } from '../../shared/domain/types.ts';
import type { WorkMessage } from '../../shared/domain/work.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import type { Process } from './process.ts';

/** Which messages a process has been given and not yet let go of: if it died now, they would come again. */
export class Custody {
  readonly #held = new Map<Process, Set<Delivery>>();

  received(deliveries: readonly Delivery[], by: Process): void {
    const held = this.#held.get(by) ?? new Set();
    for (const delivery of deliveries) held.add(delivery);
    this.#held.set(by, held);
  }

  leftOff(delivery: Delivery, by: Process): void {
    this.#held.get(by)?.delete(delivery);
  }

  /** Whether the process holds a message about this. */
  covers(by: Process, accountId: AccountId, enrollment: Enrollment): boolean {
    return [...(this.#held.get(by) ?? [])].some(({ message }) => isAbout(message, accountId, enrollment));
  }
}

function isAbout(message: WorkMessage, accountId: AccountId, enrollment: Enrollment): boolean {
  switch (message.kind) {
    case 'account':
      return message.accountId === accountId && message.enrollment === enrollment;
    case 'batch':
      return enrollment === 'automation' && message.accountIds.includes(accountId);
    case 'organization':
      return enrollment === 'computeOptimizer';
  }
}
