import type { AccountRecord } from '../../shared/domain/account/record.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { Delivery } from '../../shared/ports/queue.ts';
import type { Process } from './process.ts';

export interface Sending {
  readonly at: number;
  readonly recordOf: (accountId: AccountId) => AccountRecord | null;
}

/** Tracks when each key was queued, and which messages each process has received but not finished. If the process died, they would be delivered again. */
export class MessageTracker {
  readonly #held = new Map<Process, Set<Delivery>>();
  /** By run and account: when the key was first queued. Answers from AWS between that and a second queueing do not count. */
  readonly #planned = new Map<string, number>();

  /** Scan findings, also those deferred to a window, follow from the listings. Accounts of events are read individually and do not count. */
  sent(messages: readonly WorkMessage[], by: Process, { at, recordOf }: Sending): void {
    for (const message of messages) {
      for (const id of idsOf(message)) {
        const waited = ENROLLMENT_IDS.some((enrollment) => recordOf(id)?.conditions[enrollment]?.reason === 'window');
        const key = `${message.runId} ${id}`;
        const counts = by.name.startsWith('scanner-') || (waited && !by.name.startsWith('reactor-'));
        if (counts && !this.#planned.has(key)) this.#planned.set(key, at);
      }
    }
  }

  /** When the run's change of this account was queued, epoch ms; `null` if the run plans none. */
  plannedAt(runId: string | null, accountId: AccountId): number | null {
    return this.#planned.get(`${runId} ${accountId}`) ?? null;
  }

  received(deliveries: readonly Delivery[], by: Process): void {
    const held = this.#held.get(by) ?? new Set();
    for (const delivery of deliveries) held.add(delivery);
    this.#held.set(by, held);
  }

  finished(delivery: Delivery, by: Process): void {
    this.#held.get(by)?.delete(delivery);
  }

  /** Whether the process has an unfinished message about this enrollment. */
  covers(by: Process, accountId: AccountId, enrollment: EnrollmentId): boolean {
    return [...(this.#held.get(by) ?? [])].some(({ message }) => isAbout(message, accountId, enrollment));
  }
}

function idsOf(message: WorkMessage): readonly AccountId[] {
  switch (message.kind) {
    case 'account':
      return [message.accountId];
    case 'batch':
      return message.accountIds;
    case 'configurations':
    case 'organization':
      return [];
  }
}

function isAbout(message: WorkMessage, accountId: AccountId, enrollment: EnrollmentId): boolean {
  switch (message.kind) {
    case 'account':
      return message.accountId === accountId && message.enrollment === enrollment;
    case 'batch':
      return enrollment === 'automation' && message.accountIds.includes(accountId);
    case 'configurations':
      return enrollment === 'automation';
    case 'organization':
      return enrollment === message.enrollment;
  }
}
