import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { DEFAULT_SETTINGS } from '../../shared/app/context.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { Request } from './engine-cloud.ts';

const HUB = 'costOptimizationHub';
const EVERY_ACCOUNT = '*';

type Reported = Pick<Request, 'operation' | 'callerAccountId'> & Partial<Pick<Request, 'input'>>;

/** A period during which an account was ACTIVE in the organization. */
interface Span {
  readonly from: number;
  /** `null` if it still is. */
  until: number | null;
}

export interface PlannedRun {
  /** The kind that is changed. */
  readonly enrollment: EnrollmentId;
  /** When its scan started. */
  readonly startedAt: number;
  /** When its findings were queued. */
  readonly planned: number;
  /** Accounts whose status a scan need not know, because their verdict does not depend on it. */
  readonly notRequired?: ReadonlySet<AccountId>;
}

/** Counts the accounts whose status AWS had reported when a run was planned. Changes require enough of them (`minCoverage`). */
export class CoverageChecker {
  readonly #sandbox: Pick<Sandbox, 'accounts'>;
  readonly #now: () => number;
  readonly #active = new Map<AccountId, Span[]>();
  /** By kind, and account or `EVERY_ACCOUNT`. Automation needs Compute Optimizer, so that kind's reports count for both. */
  readonly #reportedAt = new Map<string, number[]>();

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
  answered(request: Reported, output: Readonly<Record<string, unknown>>): void {
    const { operation, callerAccountId } = request;
    switch (operation) {
      case 'GetEnrollmentStatus':
        this.#report('computeOptimizer', [callerAccountId]);
        return;
      case 'GetEnrollmentStatusesForOrganization':
        this.#report('computeOptimizer', accountIdsIn(output['accountEnrollmentStatuses']));
        return;
      case 'ListEnrollmentStatuses':
        if (request.input?.['includeOrganizationInfo'] !== true) this.#report(HUB, [callerAccountId]);
        // The last page says that all accounts not listed were never enrolled.
        else this.#report(HUB, output['nextToken'] ? accountIdsIn(output['items']) : [EVERY_ACCOUNT]);
    }
  }

  #report(kind: EnrollmentId, ids: readonly string[]): void {
    for (const id of ids) {
      const times = this.#reportedAt.get(`${kind} ${id}`) ?? [];
      times.push(this.#now());
      this.#reportedAt.set(`${kind} ${id}`, times);
    }
  }

  /**
   * A run uses a snapshot of the organization that may be as old as `snapshotMaxAgeMs` when the scan starts, and that events update account by
   * account until the plan. So a reported account counts if it was ACTIVE at any time in this period, and an unreported one only if it was
   * ACTIVE during the whole period: an account that joins or closes during the scan may be left out. Answers after the plan do not count.
   * @returns how many accounts AWS had reported, in words, if that is too few even in the best case
   */
  tooFew({ enrollment, startedAt, planned, notRequired }: PlannedRun, minCoverage: number): string | null {
    const kind = enrollment === HUB ? HUB : 'computeOptimizer';
    const wasReported = (id: string): boolean =>
      (this.#reportedAt.get(`${kind} ${id}`) ?? []).some((at) => at >= startedAt && at <= planned);
    const everyAccount = wasReported(EVERY_ACCOUNT);
    const oldest = startedAt - DEFAULT_SETTINGS.snapshotMaxAgeMs;
    let reported = 0;
    let unreported = 0;
    for (const [id, spans] of this.#active) {
      const then = spans.filter(({ from, until }) => from <= planned && (until ?? planned) >= oldest);
      if (everyAccount || wasReported(id)) reported += then.length > 0 ? 1 : 0;
      else if (!notRequired?.has(id) && then.some(({ from, until }) => from <= oldest && (until ?? planned) >= planned))
        unreported += 1;
    }
    const all = reported + unreported;
    return reported * 100 < minCoverage * all ? `${reported} of ${all} accounts` : null;
  }
}

/** The accounts that a page of a listing names. */
export function accountIdsIn(listed: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const ids = items.map((each) => (typeof each === 'object' && each !== null ? Reflect.get(each, 'accountId') : null));
  return ids.filter((id) => typeof id === 'string');
}
