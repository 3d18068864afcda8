import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { Status } from '../../domain/enrollment/status.ts';
import type { overviewAnswer } from './answers/overview.ts';
import { shownOfRecord } from './shown-record.ts';

type Overview = z.infer<typeof overviewAnswer>;
type Attention = Overview['attention'][number];
type Waiting = Overview['waiting'][number];

interface Group {
  readonly enrollments: Set<EnrollmentId>;
  readonly accounts: Set<string>;
  readonly actors: Map<string | null, number>;
  count: number;
  oldestSince: string | null;
  nextAt: string | null;
}

/** Account ids that an answer names as examples. */
const EXAMPLES = 10;

/** Groups what needs a person, and what waits, by reason. */
export class OpenGroups {
  readonly #attention = new Map<string, Group>();
  readonly #waiting = new Map<string, Group>();

  add(record: AccountRecord): void {
    const { accountId, conditions } = record;
    const shown = shownOfRecord(record);
    if (!ENROLLMENT_IDS.some((id) => isGrouped(shown[id]?.status))) return;
    // An enrollment that waits for a prerequisite that needs attention is resolved together with it.
    const attention = ENROLLMENT_IDS.filter((id) => shown[id]?.status === 'Needs attention');
    const root = attention.map((id) => conditions[id]?.reason ?? null).find(isRoot);
    for (const id of ENROLLMENT_IDS) {
      const condition = conditions[id];
      const status = shown[id]?.status;
      if (condition === null) continue;
      const { reason } = condition;
      if (status === 'Needs attention') {
        const key = reason === 'prerequisite' ? (root ?? reason) : (reason ?? 'statusDiffers');
        count(this.#attention, key, { accountId, id, condition });
      } else if (status === 'Waiting') count(this.#waiting, reason ?? 'retrying', { accountId, id, condition });
    }
  }

  attention(): readonly Attention[] {
    const rows = [...this.#attention].map(([reason, group]): Attention => {
      const { enrollments, accounts, count, oldestSince } = group;
      return {
        reason,
        enrollments: [...enrollments],
        count,
        oldestSince,
        accounts: accounts.size,
        examples: [...accounts].slice(0, EXAMPLES),
        actors: [...group.actors].map(([actor, n]) => ({ actor, count: n })).sort((a, b) => b.count - a.count),
      };
    });
    return rows.sort((a, b) => b.accounts - a.accounts || (a.reason < b.reason ? -1 : 1));
  }

  waiting(): readonly Waiting[] {
    const rows = [...this.#waiting].map(([reason, { enrollments, count, nextAt }]) => {
      return { reason, enrollments: [...enrollments], count, nextAt };
    });
    return rows.sort((a, b) => b.count - a.count);
  }
}

const isGrouped = (status: Status | undefined): boolean => status === 'Needs attention' || status === 'Waiting';

const isRoot = (reason: string | null): reason is string => reason !== null && reason !== 'prerequisite';

interface Found {
  readonly accountId: string;
  readonly id: EnrollmentId;
  readonly condition: Condition;
}

function count(groups: Map<string, Group>, reason: string, { accountId, id, condition }: Found): void {
  const group = groups.get(reason) ?? {
    enrollments: new Set(),
    accounts: new Set(),
    actors: new Map(),
    count: 0,
    oldestSince: null,
    nextAt: null,
  };
  group.enrollments.add(id);
  group.accounts.add(accountId);
  group.count += 1;
  group.oldestSince = earlier(group.oldestSince, condition.driftSince ?? condition.since);
  group.nextAt = earlier(group.nextAt, condition.notBefore);
  if (reason === 'contested') {
    const actor = condition.setBacks?.at(-1)?.by ?? null;
    group.actors.set(actor, (group.actors.get(actor) ?? 0) + 1);
  }
  groups.set(reason, group);
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
