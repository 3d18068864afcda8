import { ASSOCIABLE } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../../domain/enrollment/model.ts';
import { CloudError, type Observed } from '../../../ports/cloud.ts';
import { readLive } from '../observe-live.ts';
import type { WorkContext } from '../worker-context.ts';
import type { PlannedCall } from './configuration-call.ts';

/** The first pause between two reads of an account, ms. Each pause is twice as long as the one before it. */
const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 30_000;

/**
 * Accepted calls that AWS may still be applying: on an OU or the root that takes up to five minutes
 * [API_automation_PutOrganizationEnrollmentConfiguration]. One account of each call shows when it is done.
 */
export class AppliedChanges {
  readonly #work: WorkContext;
  readonly #until: EpochMs;
  #open: readonly PlannedCall[] = [];

  constructor(work: WorkContext, until: EpochMs) {
    this.#work = work;
    this.#until = until;
  }

  get timeIsUp(): boolean {
    return this.#work.deps.clock.now() >= this.#until;
  }

  add(made: PlannedCall): void {
    if (!made.isAccount) this.#open = [...this.#open, made];
  }

  /** Waits for accepted calls that overlap with `next`. @returns whether it waited; if so, everything that was read before is outdated */
  async awaitOverlapping(next: PlannedCall): Promise<boolean> {
    const isOverlapping = ({ call: { targetId }, above }: PlannedCall): boolean =>
      above.has(next.call.targetId) || next.above.has(targetId) || targetId === next.call.targetId;
    const overlapping = this.#open.filter(isOverlapping);
    for (const each of overlapping) await this.#await(each);
    this.#open = this.#open.filter((each) => !overlapping.includes(each));
    return overlapping.length > 0;
  }

  async awaitAll(): Promise<void> {
    for (const each of this.#open) await this.#await(each);
    this.#open = [];
  }

  async #await({ call, path }: PlannedCall): Promise<void> {
    const [accountId] = call.accounts.keys();
    if (accountId === undefined) return;
    const { deps, onProgress } = this.#work;
    const { clock } = deps;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      const seen = await this.#read(accountId);
      const isEnabled = call.effect === 'delete' || seen?.status === 'Active';
      const isApplied = isEnabled && (seen?.ruleMode ?? 'NoneAllowed') === call.ruleMode;
      if (seen === null || isApplied || this.timeIsUp) return;
      onProgress({ kind: 'waiting', until: clock.now() + pause, cause: { kind: 'configuration', target: path } });
      await clock.sleep(pause);
    }
  }

  /** `null`: the account cannot be read, so only AWS's answer to the next call shows whether it is still busy. */
  async #read(accountId: AccountId): Promise<Observed | null> {
    try {
      return await readLive(this.#work, accountId, ASSOCIABLE);
    } catch (error) {
      if (error instanceof CloudError && error.kind !== 'Unauthenticated') return null;
      throw error;
    }
  }
}
