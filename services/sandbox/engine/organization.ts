import type { Account, AccountState, OrganizationalUnit } from './types.ts';

/** The index at which a sorted array contains this key, or would contain it. */
export function lowerBound<T>(items: readonly T[], key: string, keyOf: (item: T) => string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && keyOf(item) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

const accountId = (account: Account): string => account.id;

function insertSorted(accounts: Account[], account: Account): void {
  accounts.splice(lowerBound(accounts, account.id, accountId), 0, account);
}

function removeSorted(accounts: Account[], account: Account): void {
  const at = lowerBound(accounts, account.id, accountId);
  if (accounts[at] === account) accounts.splice(at, 1);
}

/** The tree of OUs and their accounts, indexed so that the cost of a page depends only on its size. */
export class Organization {
  readonly id: string;
  readonly partition: string;
  readonly root: OrganizationalUnit;
  readonly management: Account;
  readonly delegatedAdministrator: Account;
  readonly #accounts: Account[];
  readonly #byId = new Map<string, Account>();
  readonly #units: readonly OrganizationalUnit[];
  readonly #unitsById = new Map<string, OrganizationalUnit>();
  readonly #unitsByPath = new Map<string, OrganizationalUnit>();

  /** `accounts` need not be sorted. Each must already refer to a unit of this tree. */
  constructor(parts: {
    id: string;
    partition: string;
    root: OrganizationalUnit;
    accounts: readonly Account[];
    management: Account;
    delegatedAdministrator: Account;
  }) {
    this.id = parts.id;
    this.partition = parts.partition;
    this.root = parts.root;
    this.management = parts.management;
    this.delegatedAdministrator = parts.delegatedAdministrator;
    this.#accounts = [...parts.accounts].sort((left, right) => (left.id < right.id ? -1 : 1));
    const register = (unit: OrganizationalUnit): void => {
      this.#unitsById.set(unit.id, unit);
      this.#unitsByPath.set(unit.path, unit);
      for (const child of unit.children) register(child);
    };
    register(parts.root);
    this.#units = [...this.#unitsById.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
    for (const account of this.#accounts) {
      this.#byId.set(account.id, account);
      account.ou.accounts.push(account);
    }
  }

  /** All accounts in any state, sorted by id. */
  get accounts(): readonly Account[] {
    return this.#accounts;
  }

  account(id: string): Account | undefined {
    return this.#byId.get(id);
  }

  unit(id: string): OrganizationalUnit | undefined {
    return this.#unitsById.get(id);
  }

  /** The root and all OUs, sorted by id. */
  get units(): readonly OrganizationalUnit[] {
    return this.#units;
  }

  /** Finds a unit by its path of names; `/` is the root. */
  unitAt(path: string): OrganizationalUnit | undefined {
    return this.#unitsByPath.get(path);
  }

  add(account: Account): void {
    insertSorted(this.#accounts, account);
    insertSorted(account.ou.accounts, account);
    this.#byId.set(account.id, account);
  }

  remove(account: Account): void {
    removeSorted(this.#accounts, account);
    removeSorted(account.ou.accounts, account);
    this.#byId.delete(account.id);
  }

  move(account: Account, unit: OrganizationalUnit): void {
    removeSorted(account.ou.accounts, account);
    account.ou = unit;
    insertSorted(unit.accounts, account);
  }

  accountArn(account: Account): string {
    return `arn:${this.partition}:organizations::${this.management.id}:account/${this.id}/${account.id}`;
  }
}

export const isOpen = (account: Account): boolean => account.state === ('ACTIVE' satisfies AccountState);
