import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { Request } from './engine-cloud.ts';

/** A period during which an account was ACTIVE in the organization. */
interface Span {
  readonly from: number;
  /** `null` if it still is. */
  until: number | null;
}

export interface PlannedRun {
  /** When its scan started. */
  readonly startedAt: number;
  /** When its findings were queued. */
  readonly planned: number;
  /** Accounts that an operator has suspended at some time. A scan need not read suspended accounts. */
  readonly onceSuspended?: ReadonlySet<AccountId>;
}

/** Counts the accounts whose status AWS had reported when a run was planned. Changes require enough of them (`minCoverage`). */
export class CoverageChecker {
  readonly #sandbox: Pick<Sandbox, 'accounts'>;
  readonly #now: () => number;
  readonly #active = new Map<AccountId, Span[]>();
  readonly #reportedAt = new Map<AccountId, number[]>();

  constructor(sandbox: Pick<Sandbox, 'accounts'>, now: () => number) {
    this.#sandbox = sandbox;
    this.#now = now;
  }

  /** Call before and after everything that may change the organization. */
  observe(): void {
    const now = this.#now();
    const active = new Set(
      this.#sandbox.accounts().flatMap(({ accountId, state }) => (state === 'ACTIVE' ? [accountId] : [])),
    );
    for (const id of active) {
      const spans = this.#active.get(id) ?? [];
      if (spans.at(-1)?.until !== null) spans.push({ from: now, until: null });
      this.#active.set(id, spans);
    }
    for (const [id, spans] of this.#active) {
      const last = spans.at(-1);
      if (!active.has(id) && last !== undefined) last.until ??= now;
    }
  }

  /** AWS has reported the status of these accounts. */
  answered(
    { operation, callerAccountId }: Pick<Request, 'operation' | 'callerAccountId'>,
    output: Readonly<Record<string, unknown>>,
  ): void {
    const listed = output['accountEnrollmentStatuses'];
    const ids: readonly unknown[] =
      operation === 'GetEnrollmentStatus'
        ? [callerAccountId]
        : operation === 'GetEnrollmentStatusesForOrganization' && Array.isArray(listed)
          ? listed.map((each: unknown) =>
              typeof each === 'object' && each !== null ? Reflect.get(each, 'accountId') : null,
            )
          : [];
    for (const id of ids) {
      if (typeof id !== 'string') continue;
      const times = this.#reportedAt.get(id) ?? [];
      times.push(this.#now());
      this.#reportedAt.set(id, times);
    }
  }

  /**
   * A run uses a snapshot of the organization that may be as old as `snapshotMaxAgeMs` when the scan starts, and that events update account by
   * account until the plan. So a reported account counts if it was ACTIVE at any time in this period, and an unreported one only if it was
   * ACTIVE during the whole period: an account that joins or closes during the scan may be left out. Answers after the plan do not count.
   * @returns how many accounts AWS had reported, in words, if that is too few even in the best case
   */
  tooFew({ startedAt, planned, onceSuspended }: PlannedRun, minCoverage: number): string | null {
    const oldest = startedAt - DEFAULT_SETTINGS.snapshotMaxAgeMs;
    let reported = 0;
    let unreported = 0;
    for (const [id, spans] of this.#active) {
      const then = spans.filter(({ from, until }) => from <= planned && (until ?? planned) >= oldest);
      if (this.#wasReported(id, startedAt, planned)) reported += then.length > 0 ? 1 : 0;
      else if (
        !onceSuspended?.has(id) &&
        then.some(({ from, until }) => from <= oldest && (until ?? planned) >= planned)
      )
        unreported += 1;
    }
    const all = reported + unreported;
    return reported * 100 < minCoverage * all ? `${reported} of ${all} accounts` : null;
  }

  #wasReported(id: AccountId, since: number, until: number): boolean {
    return (this.#reportedAt.get(id) ?? []).some((at) => at >= since && at <= until);
  }
}
