import type { AccountRecord } from '../../shared/domain/record.ts';
import { type AccountId, ENROLLMENTS, type Enrollment } from '../../shared/domain/types.ts';
import type { WorkMessage } from '../../shared/domain/work.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import type { Process } from './process.ts';

/** Who has asked for what, and which messages a process has been given and not yet let go of: if it died now, they would come again. */
export class Custody {
  readonly #held = new Map<Process, Set<Delivery>>();
  readonly #planned = new Set<string>();

  /** What a scan found, be it that it comes back only when a window opens, follows from its listings; what an event tells of is read by itself. */
  sent(messages: readonly WorkMessage[], by: Process, recordOf: (accountId: AccountId) => AccountRecord | null): void {
    for (const message of messages) {
      for (const id of idsOf(message)) {
        const waited = ENROLLMENTS.some((enrollment) => recordOf(id)?.[enrollment]?.reason === 'window');
        if (by.name.startsWith('scanner-') || waited) this.#planned.add(`${message.runId} ${id}`);
      }
    }
  }

  /** Whether a change of the account is in the run's plan. */
  planned(runId: string | null, accountId: AccountId): boolean {
    return this.#planned.has(`${runId} ${accountId}`);
  }

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

function idsOf(message: WorkMessage): readonly AccountId[] {
  switch (message.kind) {
    case 'account':
      return [message.accountId];
    case 'batch':
      return message.accountIds;
    case 'organization':
      return [];
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
