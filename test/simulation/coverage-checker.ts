import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { Request } from './engine-cloud.ts';

/** A time during which an account was ACTIVE in the organization. */
interface Span {
  readonly from: number;
  /** `null`: it still is. */
  until: number | null;
}

export interface PlannedRun {
  /** When its scan was begun. */
  readonly began: number;
  /** When what it had found was put on the queue. */
  readonly planned: number;
  /** Accounts that an operator has suspended at some time: of those that are, a scan need not know more. */
  readonly onceSuspended?: ReadonlySet<AccountId>;
}

/** Counts of how many accounts AWS had told when a run was planned: changes follow only if they are enough (`minCoverage`). */
export class CoverageJudge {
  readonly #sandbox: Pick<Sandbox, 'accounts'>;
  readonly #now: () => number;
  readonly #active = new Map<AccountId, Span[]>();
  readonly #toldAt = new Map<AccountId, number[]>();

  constructor(sandbox: Pick<Sandbox, 'accounts'>, now: () => number) {
    this.#sandbox = sandbox;
    this.#now = now;
  }

  /** To be called before and after everything that may change the organization. */
  look(): void {
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

  /** AWS has answered: these accounts were told of. */
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
      const times = this.#toldAt.get(id) ?? [];
      times.push(this.#now());
      this.#toldAt.set(id, times);
    }
  }

  /**
   * A run counts by its own picture of the organization, which is from any time between its planning and as long before its begin as a kept
   * one may be used, and which events bring up to date account by account. So an account that was told of counts if it was ACTIVE at any time
   * of these (one that is closed while the scan goes on was rightly counted), one that was not told of only if it was ACTIVE all the time
   * (one that joins or is closed meanwhile may rightly be left out). What AWS tells after the planning comes too late to count.
   * @returns in words how many AWS had told of, if at best that is too few
   */
  tooFew({ began, planned, onceSuspended }: PlannedRun, minCoverage: number): string | null {
    const oldest = began - DEFAULT_SETTINGS.snapshotMaxAgeMs;
    let told = 0;
    let untold = 0;
    for (const [id, spans] of this.#active) {
      const then = spans.filter(({ from, until }) => from <= planned && (until ?? planned) >= oldest);
      if (this.#wasTold(id, began, planned)) told += then.length > 0 ? 1 : 0;
      else if (
        !onceSuspended?.has(id) &&
        then.some(({ from, until }) => from <= oldest && (until ?? planned) >= planned)
      )
        untold += 1;
    }
    const all = told + untold;
    return told * 100 < minCoverage * all ? `${told} of ${all} accounts` : null;
  }

  #wasTold(id: AccountId, since: number, until: number): boolean {
    return (this.#toldAt.get(id) ?? []).some((at) => at >= since && at <= until);
  }
}
