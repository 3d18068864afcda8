import pLimit from 'p-limit';
import { desiredOf } from '../../domain/decision/assess.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { Assessment } from '../../domain/enrollment/verdict.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import { createRetrying } from '../support/retry.ts';
import { recordRefreshed } from '../survey/account-overrides.ts';
import { type Asked, ChangeRefused, type Check, type CheckParts, optOutsOf } from './guard.ts';

/** How many accounts are read in parallel. */
const READERS = 4;
/** How long a read is repeated while AWS throttles it or does not answer, ms. */
const READ_BUDGET_MS = 15_000;
/** Tags read before the claim are read again before the call if they are older than this by then, ms: the rate limiter may have delayed the call. */
const FRESH_MS = 10_000;
/** The same for a call with more opt-outs than `FEW`, because reading their tags takes longer. */
const FRESH_OF_MANY_MS = 60_000;
const FEW = 50;
/** The pause before an opt-out is tried again whose tags could not be read, ms. */
const PAUSE_MS = 60_000;

/**
 * Before an opt-out, which deletes data, reads the tags of its accounts live if tags may have decided it. A snapshot is up to two schedule periods old,
 * and the index that it may come from lags behind. If the tags differ, the snapshot gets the live ones and the account is assessed again.
 */
export function liveTags(parts: CheckParts): Check {
  return new LiveTags(parts);
}

type Tags = Readonly<Record<string, string>>;

interface Changed {
  readonly id: AccountId;
  /** `null`: it has left the organization, or the snapshot lacks it. */
  readonly account: OrganizationAccount | null;
  readonly isGone: boolean;
}

class LiveTags implements Check {
  readonly #parts: CheckParts;
  /** When the tags of each account were last found unchanged. */
  readonly #readAt = new Map<AccountId, EpochMs>();

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  async ask(asked: Asked): Promise<void> {
    const optOuts = optOutsOf(asked);
    if (optOuts.length === 0) return;
    const { deps, policy, controls } = this.#parts;
    if (!policy.usesTags && !(await controls.recent()).usesTags) return;
    const freshMs = optOuts.length > FEW ? FRESH_OF_MANY_MS : FRESH_MS;
    const now = deps.clock.now();
    const outdated = optOuts.filter(
      (id) => asked.stage === 'claim' || now - (this.#readAt.get(id) ?? Number.NEGATIVE_INFINITY) > freshMs,
    );
    const limit = pLimit(READERS);
    const changed = (await Promise.all(outdated.map((id) => limit(() => this.#changed(id))))).flatMap(
      (one) => one ?? [],
    );
    for (const [id, at] of this.#readAt) if (now - at > FRESH_OF_MANY_MS) this.#readAt.delete(id);
    const [first] = changed;
    if (first === undefined) return this.#requireDesired(asked, new Set(optOuts));
    await this.#update(changed);
    const others = changed.length === 1 ? '' : ` and ${changed.length - 1} more`;
    throw new ChangeRefused('tagsChanged', `the tags of account ${first.id}${others} have changed since the last scan`);
  }

  /**
   * The tags in the snapshot are the live ones now, but the assessments may be older: another worker may have corrected the snapshot in between. An
   * opt-out is made only if the policy still wants what was assessed.
   */
  async #requireDesired({ assessments = [] }: Asked, optOuts: ReadonlySet<AccountId>): Promise<void> {
    const limit = pLimit(READERS);
    const checked = assessments.filter(({ accountId }) => optOuts.has(accountId));
    const wanted = await Promise.all(checked.map((each) => limit(() => this.#isDesired(each))));
    const outdated = checked.find((_, index) => wanted[index] !== true);
    if (outdated === undefined) return;
    throw new ChangeRefused(
      'tagsChanged',
      `the tags of account ${outdated.accountId} have changed since its assessment`,
    );
  }

  async #isDesired({ accountId, enrollment, desired }: Assessment): Promise<boolean> {
    const { deps, policy } = this.#parts;
    const account = await deps.snapshots.get(accountId);
    if (account === null || !policy.canDecide(account)) return false;
    const { status, ruleMode } = desiredOf(policy.resolve(account), account, enrollment);
    return status === desired.status && ruleMode === desired.ruleMode;
  }

  /** @returns the account with its live tags if they have changed, otherwise `null` */
  async #changed(id: AccountId): Promise<Changed | null> {
    const { snapshots, clock } = this.#parts.deps;
    const at = clock.now();
    const live = await this.#read(id);
    const known = await snapshots.get(id);
    if (known !== null && live !== null && isEqual(known.tags, live)) {
      this.#readAt.set(id, at);
      return null;
    }
    return { id, account: known === null || live === null ? null : { ...known, tags: live }, isGone: live === null };
  }

  /** Updates the accounts in the snapshot. One that the snapshot lacks stays absent: its name and OU are not known. */
  async #update(changed: readonly Changed[]): Promise<void> {
    const { snapshots, registers, clock } = this.#parts.deps;
    const known = changed.filter(({ account, isGone }) => account !== null || isGone);
    await recordRefreshed(registers, new Map(known.map(({ id, account }) => [id, account])), clock.now());
    await snapshots.refresh(known.flatMap(({ account }) => account ?? []));
    await snapshots.remove(known.flatMap(({ id, isGone }) => (isGone ? [id] : [])));
  }

  /** The tags; `null`: the account has left the organization. @throws ChangeRefused if they cannot be read */
  async #read(id: AccountId): Promise<Tags | null> {
    const { cloud, clock, random } = this.#parts.deps;
    try {
      return await cloud.readTags(id, { retry: createRetrying(clock, random, READ_BUDGET_MS) });
    } catch (error) {
      if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
      const message = `an opt-out needs the present tags of account ${id}: ${error.message}`;
      if (!error.passing) throw new ChangeRefused('tagsUnreadable', message);
      throw new ChangeRefused('retrying', message, clock.now() + PAUSE_MS);
    }
  }
}

function isEqual(known: Tags | null, live: Tags): boolean {
  if (known === null) return false;
  const keys = Object.keys(live);
  return (
    keys.length === Object.keys(known).length &&
    keys.every((key) => Object.hasOwn(known, key) && known[key] === live[key])
  );
}
