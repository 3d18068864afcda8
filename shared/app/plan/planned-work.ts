import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { WorkOutcome } from '../context.ts';

/** Progress of a plan's changes, as one process sees it. The parts never add up to more than `total`. */
export interface PlannedProgress {
  readonly total: number;
  readonly confirmed: number;
  readonly failed: number;
  /** Waiting, or needs attention. */
  readonly blocked: number;
  /** No change was necessary: the account complies, is exempt or suspended, or has left the organization. */
  readonly notNeeded: number;
  readonly inProgress: number;
}

/** The key of an account and an enrollment kind. */
export const workKey = (accountId: string, enrollment: EnrollmentId): string => `${accountId} ${enrollment}`;

type Part = Exclude<keyof PlannedProgress, 'total'>;

const PART: Readonly<Record<WorkOutcome, Part>> = {
  resolved: 'confirmed',
  converging: 'inProgress',
  retrying: 'inProgress',
  blocked: 'blocked',
  dead: 'failed',
  nothingToDo: 'notNeeded',
  superseded: 'notNeeded',
};

/**
 * Counts the changes of a plan as they are worked on. Only the last outcome of each key counts. Keys of other runs, which share
 * the queue, do not count.
 */
export class PlannedWork {
  #planned: ReadonlySet<string> = new Set();
  #parts = new Map<string, Part>();
  #counts: Record<Part, number> = { ...NOTHING_YET };

  begin(planned: ReadonlySet<string>): void {
    this.#planned = planned;
    this.#parts = new Map();
    this.#counts = { ...NOTHING_YET };
  }

  /** @returns whether the change is part of the plan. */
  take(key: string, outcome: WorkOutcome): boolean {
    if (!this.#planned.has(key)) return false;
    const before = this.#parts.get(key);
    if (before !== undefined) this.#counts[before] -= 1;
    const part = PART[outcome];
    this.#counts[part] += 1;
    this.#parts.set(key, part);
    return true;
  }

  get progress(): PlannedProgress {
    return { total: this.#planned.size, ...this.#counts };
  }
}

const NOTHING_YET = { confirmed: 0, failed: 0, blocked: 0, notNeeded: 0, inProgress: 0 } as const;

/** The number of changes that are not in progress. A retry can still change the outcome of one. */
export const finishedOf = ({ confirmed, failed, blocked, notNeeded }: PlannedProgress): number =>
  confirmed + failed + blocked + notNeeded;
