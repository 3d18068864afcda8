import type { LedgerEntry } from '../../../../domain/ledger/entry.ts';
import { property } from './text.ts';
import { uuidOf } from './uuid.ts';

interface Scan {
  readonly runId: string;
  readonly startedAt: string;
  readonly actor: string;
  endedAt: string | null;
}

/** The scans of a period, from their entries. */
export class Scans {
  readonly #scans = new Map<string, Scan>();

  take({ type, runId, at, actor }: LedgerEntry): void {
    if (runId === null) return;
    if (type === 'ScanStarted') this.#scans.set(runId, { runId, startedAt: at, actor, endedAt: null });
    const known = this.#scans.get(runId);
    if (type === 'ScanCompleted' && known !== undefined) known.endedAt = at;
  }

  /** For the log of the assessment. */
  entries(scope: string, task: string) {
    return [...this.#scans.values()].map(({ runId, startedAt, endedAt, actor }) => ({
      uuid: uuidOf(scope, 'scan', runId),
      title: endedAt === null ? 'Scan without an end in this period' : 'Scan',
      start: startedAt,
      ...(endedAt !== null && { end: endedAt }),
      props: [property('run', runId), property('actor', actor)],
      'related-tasks': [{ 'task-uuid': task }],
    }));
  }
}
