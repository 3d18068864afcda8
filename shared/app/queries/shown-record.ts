import type { AccountRecord } from '../../domain/account/record.ts';
import { shownOf } from '../../domain/enrollment/status.ts';

type Shown = ReturnType<typeof shownOf>;

const known = new WeakMap<AccountRecord, Shown>();

/** How people see each enrollment of an account. It is derived once from each record: the API keeps unchanged records in memory (`record-cache.ts`). */
export function shownOfRecord(record: AccountRecord): Shown {
  const before = known.get(record);
  if (before !== undefined) return before;
  const shown = shownOf((id) => record.conditions[id]);
  known.set(record, shown);
  return shown;
}
