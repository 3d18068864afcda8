import type { AccountRecord } from '../../shared/domain/account/record.ts';
import { ASSOCIABLE, type EnrollmentId, kindOf } from '../../shared/domain/enrollment/kinds/index.ts';
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
  /** By run, account and kind: when the key was first queued. Answers from AWS between that and a second queueing do not count. */
  readonly #planned = new Map<string, number>();

  /**
   * Scan findings, also those deferred to a window, follow from the listings, and so do the changes that depend on them. Accounts of events are read
   * individually and do not count.
   */
  sent(messages: readonly WorkMessage[], by: Pick<Process, 'name'>, { at, recordOf }: Sending): void {
    if (by.name.startsWith('reactor-')) return;
    for (const message of messages) {
      const { runId } = message;
      for (const { accountId, enrollment } of keysOf(message)) {
        const waited = recordOf(accountId)?.conditions[enrollment]?.reason === 'window';
        const found =
          waited || by.name.startsWith('scanner-') ? at : this.#prerequisitePlannedAt(runId, accountId, enrollment);
        const name = nameOf(runId, accountId, enrollment);
        if (found !== null && !this.#planned.has(name)) this.#planned.set(name, found);
      }
    }
  }

  /** A follow-up belongs to the plan of the change that it waited for. */
  #prerequisitePlannedAt(runId: string, accountId: AccountId, enrollment: EnrollmentId): number | null {
    const times = kindOf(enrollment).prerequisites.flatMap((id) => this.plannedAt(runId, accountId, id) ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** When the run's change of this enrollment was queued, epoch ms; `null` if the run plans none. */
  plannedAt(runId: string | null, accountId: AccountId, enrollment: EnrollmentId): number | null {
    return runId === null ? null : (this.#planned.get(nameOf(runId, accountId, enrollment)) ?? null);
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

interface Key {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
}

const nameOf = (runId: string, accountId: AccountId, enrollment: EnrollmentId): string =>
  [runId, accountId, enrollment].join(' ');

function keysOf(message: WorkMessage): readonly Key[] {
  switch (message.kind) {
    case 'account':
      return [message];
    case 'batch':
      return message.accountIds.map((accountId) => ({ accountId, enrollment: ASSOCIABLE }));
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
      return enrollment === ASSOCIABLE && message.accountIds.includes(accountId);
    case 'configurations':
      return enrollment === ASSOCIABLE;
    case 'organization':
      return enrollment === message.enrollment;
  }
}
