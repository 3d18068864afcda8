import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { Request } from './engine-cloud.ts';
import { READ_DELAY_MS } from './policy-checks.ts';
import type { Process } from './process.ts';
import { unitIdsOf, unitsOf } from './units.ts';

/** The largest age of a recorded observation, as in `state-timeline.ts`. */
const STALE_MS = 45 * 60 * 1000;

/**
 * The number of steps of a worker, with retries, between its last read and its call. If its reads are outdated before it can act, a worker reads again,
 * but at most twice. Then it acts on what it has read, so that slow stores do not stop it forever.
 */
const STEPS_BEFORE_CALL = 10;

/** The latest period in which a condition held. */
interface Span {
  readonly from: number;
  /** `null` if it still holds. */
  until: number | null;
}

/** What a process knows about an account. */
interface Told {
  readonly covered: boolean;
  /** The last answer that no configuration applies, epoch ms. */
  readonly freeAt: number;
}

/** Whether an answer of AWS says that a configuration applies to an account. */
interface Coverage {
  readonly accountId: AccountId;
  readonly covered: boolean;
}

/**
 * Checks that no request asks for what an organization enrollment configuration forbids: AWS rejects a whole batch because of one account to which
 * a configuration applies, and such an account cannot disable Automation.
 */
export class ConfigurationChecker {
  readonly #sandbox: Sandbox;
  readonly #now: () => number;
  /** Maximum age of the answer on which a call is based, ms. */
  readonly #readDelayMs: number;
  /** When AWS last reported that a configuration applies to an account. */
  readonly #reported = new Map<AccountId, Span>();
  /** When a configuration of an account, or of an OU above it, last existed. AWS obeys it before it reports it. */
  readonly #stored = new Map<AccountId, Span>();
  /** By process: the latest answer about each account. */
  readonly #answers = new WeakMap<Process, Map<AccountId, Told>>();

  /** @param slowMs the longest delay of one step of a worker */
  constructor(sandbox: Sandbox, now: () => number, slowMs: number) {
    this.#sandbox = sandbox;
    this.#now = now;
    this.#readDelayMs = Math.max(READ_DELAY_MS, STEPS_BEFORE_CALL * slowMs);
  }

  /** Call before and after everything that may change the configurations or the organization. */
  observe(): void {
    const at = this.#now();
    const targets = new Set(this.#sandbox.configurations().map(({ targetId }) => targetId));
    const units = unitsOf(this.#sandbox);
    for (const { accountId, ou, automation } of this.#sandbox.accounts()) {
      const { sourceType } = automation.organizationRuleModeSource ?? {};
      extend(this.#reported, accountId, at, isGoverning(sourceType));
      const above = targets.size === 0 ? [] : [accountId, ...unitIdsOf(units, ou)];
      extend(this.#stored, accountId, at, isGoverning(sourceType) || above.some((id) => targets.has(id)));
    }
  }

  /** A process has received an answer. */
  answered({ operation, callerAccountId }: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    const known = this.#answers.get(by) ?? new Map<AccountId, Told>();
    for (const { accountId, covered } of coverageIn(operation, callerAccountId, output)) {
      const freeAt = covered ? (known.get(accountId)?.freeAt ?? Number.NEGATIVE_INFINITY) : this.#now();
      known.set(accountId, { covered, freeAt });
    }
    this.#answers.set(by, known);
  }

  /** @returns the accounts of a request that a configuration forbids, in words, if its sender knew or must have known */
  forbidden({ operation, callerAccountId, input }: Request, by: Process): readonly string[] {
    this.observe();
    const named: readonly unknown[] = Array.isArray(input['accountIds']) ? input['accountIds'] : [];
    const optsOut = operation === 'UpdateEnrollmentConfiguration' && input['status'] === 'Inactive';
    const accountIds = optsOut ? [callerAccountId] : named.filter((id) => typeof id === 'string');
    return accountIds.flatMap((id) => {
      const what = `${operation} for ${id}`;
      const covered = this.#reported.get(id);
      if (covered?.until !== null) return [];
      const told = this.#answers.get(by)?.get(id);
      // A process works on several messages. One may still rely on an answer that was given before the configuration applied.
      if (told?.covered === true && this.#now() - told.freeAt > this.#readDelayMs)
        return [`${what} although AWS has told ${by.name} that a configuration applies to it`];
      const since = this.#now() - covered.from;
      return since > this.#readDelayMs ? [`${what} although a configuration has applied to it for ${since} ms`] : [];
    });
  }

  /** The claim of an entry that a configuration applies to the account although none did; `null` if it makes no such claim. */
  falseClaim({ accountId, after }: LedgerEntry): string | null {
    if (accountId === null || after?.reason !== 'organizationConfiguration') return null;
    this.observe();
    const until = this.#stored.get(accountId)?.until;
    return until === null || (until !== undefined && until >= this.#now() - STALE_MS) ? null : after.verdict;
  }
}

function extend(spans: Map<AccountId, Span>, accountId: AccountId, at: number, is: boolean): void {
  const last = spans.get(accountId);
  if (is && last?.until !== null) spans.set(accountId, { from: at, until: null });
  if (!is && last !== undefined) last.until ??= at;
}

function isGoverning(sourceType: unknown): boolean {
  return sourceType === 'Applied' || sourceType === 'Inherited';
}

function coverageIn(operation: string, callerAccountId: AccountId, output: unknown): readonly Coverage[] {
  if (operation === 'GetEnrollmentConfiguration') {
    const covered = member(output, 'organizationEnrollmentConfigurationStatus') === 'Active';
    return [{ accountId: callerAccountId, covered }];
  }
  const listed = member(output, 'accounts');
  if (operation !== 'ListAccounts' || !Array.isArray(listed)) return [];
  return listed.flatMap((each: unknown) => {
    const accountId = member(each, 'accountId');
    const source = member(member(each, 'organizationRuleModeSource'), 'sourceType');
    return typeof accountId === 'string' ? [{ accountId, covered: isGoverning(source) }] : [];
  });
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
