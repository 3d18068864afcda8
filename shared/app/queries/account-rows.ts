import type * as z from 'zod';
import { actorBehind } from '../../domain/account/flapping.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { type Status, severityOf } from '../../domain/enrollment/status.ts';
import type { OrganizationAccount } from '../../domain/policy/types.ts';
import type { Stores } from '../context.ts';
import { accountsById } from './accounts-by-id.ts';
import type { accountRow, enrollmentCell } from './answers/accounts.ts';
import { type StatusWords, statusWords } from './status-words.ts';

export type Cell = z.infer<typeof enrollmentCell>;
export type AccountRow = z.infer<typeof accountRow>;

/** Where the rows come from. */
export interface AccountSources {
  readonly snapshots: Pick<Stores['snapshots'], 'load'>;
  readonly records: Pick<Stores['records'], 'all'>;
}

/** Makes the rows of all accounts and their JSON text, and reuses those of unchanged accounts, which are most of them. */
export class RowMaker {
  #known: ReadonlyMap<AccountId, Known> = new Map();
  readonly #texts = new WeakMap<AccountRow, string>();

  /** All accounts of the last snapshot and of the records, with their status. */
  async read({ snapshots, records }: AccountSources): Promise<readonly AccountRow[]> {
    const accounts = accountsById(await snapshots.load());
    const made = new Map<AccountId, Known>();
    const left = new Set<AccountId>();
    for await (const page of records.all()) {
      for (const record of page) {
        const { accountId, present } = record;
        if (present) made.set(accountId, this.#rowOf(record, accounts.get(accountId) ?? null));
        else left.add(accountId);
      }
    }
    // Add the accounts that have no record yet.
    for (const [id, account] of accounts) if (!made.has(id) && !left.has(id)) made.set(id, this.#rowOfNew(account));
    this.#known = made;
    return [...made.values()].map(({ row }) => row);
  }

  json(row: AccountRow): string {
    const text = this.#texts.get(row) ?? JSON.stringify(row);
    this.#texts.set(row, text);
    return text;
  }

  /** @param account its facts; `null`: it is not in the snapshot */
  #rowOf(record: AccountRecord, account: OrganizationAccount | null): Known {
    const known = this.#known.get(record.accountId);
    if (known?.head === record.head.hash && hasFacts(known.row, account)) return known;
    return { head: record.head.hash, row: rowOf(record, account) };
  }

  #rowOfNew(account: OrganizationAccount): Known {
    const known = this.#known.get(account.id);
    if (known?.head === null && hasFacts(known.row, account)) return known;
    return { head: null, row: { ...factsOf(account), ...headlineOf(NO_CELLS), ...NO_CELLS } };
  }
}

interface Known {
  /** Hash of the record's last entry; `null`: there is no record. Not its number, which another entry can have after a restore. */
  readonly head: string | null;
  readonly row: AccountRow;
}

function hasFacts(row: AccountRow, account: OrganizationAccount | null): boolean {
  const { name, ou, state, management } = account === null ? NO_FACTS : account;
  return row.name === name && row.ou === ou && row.state === state && row.management === management;
}

const NO_FACTS = { name: '', ou: '', state: null, management: false };

function rowOf(record: AccountRecord, account: OrganizationAccount | null): AccountRow {
  const { accountId, conditions } = record;
  const about = account === null ? { accountId, ...NO_FACTS } : factsOf(account);
  const words = statusWords((id) => conditions[id]);
  const cells = byKind((id) => cellOf(conditions[id], words[id]));
  return { ...about, ...headlineOf(cells), ...cells };
}

type Cells = Pick<AccountRow, EnrollmentId>;
const NO_CELLS: Cells = byKind(() => null);

/** A list shows the enrollment with the worst status for an account; of several, the one that has had it longest. */
function headlineOf(cells: Cells): Pick<AccountRow, 'accountStatus' | 'leading' | 'since'> {
  let worst: Headline | null = null;
  for (const id of ENROLLMENT_IDS) {
    const cell = cells[id];
    if (cell === null) continue;
    const next = { id, status: cell.complianceStatus, since: cell.driftSince ?? cell.since };
    if (worst === null || isWorse(next, worst)) worst = next;
  }
  if (worst === null) return { accountStatus: 'Unknown', leading: null, since: null };
  return { accountStatus: worst.status, leading: worst.id, since: worst.since };
}

interface Headline {
  readonly id: EnrollmentId;
  readonly status: Status;
  readonly since: string;
}

function isWorse(a: Headline, b: Headline): boolean {
  const by = severityOf(a.status) - severityOf(b.status);
  return by < 0 || (by === 0 && a.since < b.since);
}

function factsOf({ id, name, ou, state, management }: OrganizationAccount) {
  return { accountId: id, name, ou, state, management };
}

function cellOf(condition: Condition | null, words: StatusWords | null): Cell | null {
  if (condition === null || words === null) return null;
  const { verdict, reason, status, ruleMode, desired, desiredRuleMode, rule, since, notBefore, attempts } = condition;
  const { driftSince, setBacks = [] } = condition;
  return {
    verdict,
    reason,
    ...words,
    status,
    ruleMode,
    desired,
    desiredRuleMode,
    rule,
    since,
    notBefore,
    attempts,
    driftSince,
    changedBy: actorBehind(condition),
    reversions: setBacks.length,
  };
}
