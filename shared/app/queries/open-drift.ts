import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import type { Status as StatusWord } from '../../domain/enrollment/status.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { attention, openDrift } from './answers/status.ts';
import { isDue } from './held-changes.ts';

export type OpenDrift = z.infer<typeof openDrift>;
export type Attention = z.infer<typeof attention>;

/** The status and the reason of each enrollment of one account. */
type Shown = Readonly<Record<EnrollmentId, { readonly status: StatusWord; readonly message: string | null } | null>>;
type Part = Exclude<keyof OpenDrift, 'enrollments' | 'oldestSince' | 'accounts' | 'due' | 'kinds'>;
type OfKind = OpenDrift['kinds'][EnrollmentId];
type Counted = Omit<OpenDrift, 'kinds'> & { readonly kinds: Readonly<Record<EnrollmentId, OfKind>> };

const PART_OF: Readonly<Partial<Record<StatusWord, Part>>> = {
  'Needs attention': 'needAttention',
  'In progress': 'inProgress',
  Waiting: 'waiting',
  Unknown: 'unknown',
};

const NO_DRIFT: OfKind = { enrollments: 0, oldestSince: null };
const NONE: Omit<OpenDrift, 'kinds'> = {
  enrollments: 0,
  accounts: 0,
  oldestSince: null,
  due: 0,
  toFix: 0,
  reportedOnly: 0,
  inProgress: 0,
  waiting: 0,
  needAttention: 0,
  unknown: 0,
};

/** Accounts that need attention and are listed one by one. */
const LISTED = 5;

interface Listed {
  readonly accountId: AccountId;
  readonly since: string;
  readonly enrollments: Attention['oldest'][number]['enrollments'];
}

/** Counts the open drift of all accounts, and collects the accounts whose drift has needed attention longest. */
export class DriftCounter {
  readonly #drift: Counted = { ...NONE, kinds: byKind(() => ({ ...NO_DRIFT })) };
  #attention = 0;
  #oldest: readonly Listed[] = [];

  get drift(): OpenDrift {
    return this.#drift;
  }

  add({ accountId, conditions }: AccountRecord, shown: Shown): void {
    const counted = this.#drift;
    const before = counted.enrollments;
    const needing: Listed['enrollments'][number][] = [];
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = conditions[enrollment];
      const words = shown[enrollment];
      if (condition === null || words === null || condition.driftSince === null) continue;
      const { driftSince, reason, notBefore } = condition;
      counted.enrollments += 1;
      counted[PART_OF[words.status] ?? (reason === 'alertOnly' ? 'reportedOnly' : 'toFix')] += 1;
      if (isDue(words.status, reason)) counted.due += 1;
      const ofKind = counted.kinds[enrollment];
      ofKind.enrollments += 1;
      ofKind.oldestSince = earlier(ofKind.oldestSince, driftSince);
      counted.oldestSince = earlier(counted.oldestSince, driftSince);
      if (words.status === 'Needs attention')
        needing.push({ enrollment, reason, message: words.message, since: driftSince, notBefore });
    }
    if (counted.enrollments > before) counted.accounts += 1;
    if (needing.length > 0) this.#list(accountId, needing);
  }

  #list(accountId: AccountId, enrollments: Listed['enrollments']): void {
    this.#attention += 1;
    const since = enrollments.map((each) => each.since).reduce((a, b) => (b < a ? b : a));
    const sorted = [...this.#oldest, { accountId, since, enrollments }].sort((a, b) => (a.since < b.since ? -1 : 1));
    this.#oldest = sorted.slice(0, LISTED);
  }

  /** The accounts that need attention; the oldest with their names. */
  async attention(snapshots: Pick<SnapshotStore, 'get'>): Promise<Attention> {
    const oldest: Attention['oldest'][number][] = [];
    for (const { accountId, enrollments } of this.#oldest) {
      const name = (await snapshots.get(accountId))?.name ?? '';
      oldest.push({ accountId, name, enrollments });
    }
    return { accounts: this.#attention, oldest };
  }
}

const earlier = (known: string | null, other: string): string => (known === null || other < known ? other : known);
