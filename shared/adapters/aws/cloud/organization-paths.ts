import {
  DescribeOrganizationalUnitCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListRootsCommand,
} from '@aws-sdk/client-organizations';
import * as z from 'zod';
import type { AccountId, OrganizationalUnit } from '../../../domain/enrollment/model.ts';
import { type Account, accountsPages } from './organization-accounts.ts';
import { MAX_PAGE, paged, type Reader, toListPage } from './organization-reader.ts';

/** The place of an account in the tree. Accounts of one OU share it, which saves memory. */
export interface Branch {
  /** `/` directly under the root, otherwise names such as `/A/B`. */
  readonly ou: string;
  /** The ids of the root and of each OU on the path. */
  readonly unitIds: readonly string[];
}

export interface Placed {
  readonly account: Account;
  readonly branch: Branch;
}

/**
 * An OU's name as a step of a path. A slash is written `%2F`; otherwise the OU would look like two nested OUs. A `%` that could be read as an escape is
 * written `%25`.
 */
export function pathStep(name: string): string {
  return name.replace(/%(?=2F|25)/g, '%25').replaceAll('/', '%2F');
}

const unit = z.object({ Id: z.string(), Name: z.string() });
const unitsPage = z
  .object({ OrganizationalUnits: z.array(unit), ...paged })
  .transform((page) => toListPage(page.OrganizationalUnits, page.NextToken));
const unitAnswer = z.object({ OrganizationalUnit: z.object({ Name: z.string() }) });
const node = z.object({ Id: z.string() });
const rootsPage = z
  .object({ Roots: z.array(node), ...paged })
  .transform((page) => toListPage(page.Roots, page.NextToken));
const parentsPage = z
  .object({ Parents: z.array(node), ...paged })
  .transform((page) => toListPage(page.Parents, page.NextToken));

/** The OU path of each account, from the `Paths` of the listing. If an account lacks them, walks the whole tree, with two calls per OU. */
export async function place(
  reader: Reader,
  names: UnitNames,
  accounts: ReadonlyMap<AccountId, Account>,
): Promise<Placed[]> {
  const parents = new Set<string>();
  for (const { parent } of accounts.values()) {
    if (!names.covers(parent)) return walk(reader, accounts);
    parents.add(parent);
  }
  // Many accounts share an OU, so the path of each OU is computed once.
  const ids = new Map([...parents].map((parent) => [parent, branchOf(parent)]));
  const found = await names.of(new Set([...ids.values()].flatMap((unitIds) => unitIds.slice(1))));
  const branches = new Map<string | null, Branch>();
  for (const [parent, unitIds] of ids) {
    const steps = unitIds.slice(1).map((id) => found.get(id));
    branches.set(parent, { ou: `/${steps.join('/')}`, unitIds });
  }
  return [...accounts.values()].map((account) => {
    return { account, branch: branches.get(account.parent) ?? { ou: '/', unitIds: [] } };
  });
}

/** The ids from the root down to the OU of an account, from its path of ids. */
function branchOf(parent: string): readonly string[] {
  return parent.split('/').slice(1, -1);
}

/**
 * The names of all OUs above accounts. A listing returns the OUs directly below one parent, so each parent on the paths of the accounts is listed once, while
 * the accounts are still being listed. One call at a time, because Organizations throttles parallel calls.
 */
export class UnitNames {
  readonly #reader: Reader;
  readonly #begin: string;
  readonly #seen = new Set<string>();
  readonly #parents = new Set<string>();
  readonly #names = new Map<string, string>();
  #listing: Promise<void> = Promise.resolve();

  constructor(reader: Reader, organizationId: string) {
    this.#reader = reader;
    this.#begin = `${organizationId}/r-`;
  }

  /** Whether this is the path of an account in this organization. */
  covers(parent: string | null): parent is string {
    return parent?.startsWith(this.#begin) === true;
  }

  /** Begins to list the OUs above these accounts. */
  find(accounts: readonly Account[]): void {
    for (const { parent } of accounts) {
      if (!this.covers(parent) || this.#seen.has(parent)) continue;
      this.#seen.add(parent);
      const branch = branchOf(parent);
      for (const [index, id] of branch.slice(1).entries()) {
        this.#list(branch[index] ?? id);
      }
    }
  }

  #list(parent: string): void {
    if (this.#parents.has(parent)) return;
    this.#parents.add(parent);
    this.#listing = this.#listing.then(async () => {
      for (const { Id, Name } of await listUnits(this.#reader, parent)) this.#names.set(Id, pathStep(Name));
    });
    // `of` reports the failure later. Without a handler until then, Node.js would end the process.
    this.#listing.catch(() => undefined);
  }

  /** The names of these OUs, by id. Other OUs, which accounts have left while they were listed, may be gone. @throws CloudError */
  async of(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    await this.#listing;
    for (const id of ids) {
      // The OU was moved between two listings; its name can still be read.
      if (!this.#names.has(id)) this.#names.set(id, await nameOf(this.#reader, id));
    }
    return this.#names;
  }
}

async function nameOf(reader: Reader, id: string): Promise<string> {
  const send = new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: id });
  const answer = await reader.one('DescribeOrganizationalUnit', id, unitAnswer, (client) => client.send(send));
  return pathStep(answer.OrganizationalUnit.Name);
}

/** Maximum number of steps from an account to the root. OUs are nested at most five deep [Quotas for AWS Organizations]. */
const MAX_DEPTH = 10;

/** The place of one account, from its `Paths`. If it lacks them, walks from parent to parent, with one call per OU. */
export async function placeOne(reader: Reader, organizationId: string, { Id, parent }: Account): Promise<Branch> {
  const isComplete = parent?.startsWith(`${organizationId}/r-`) === true;
  const unitIds = isComplete ? branchOf(parent) : await branchAbove(reader, Id);
  const names: string[] = [];
  for (const unit of unitIds.slice(1)) names.push(await nameOf(reader, unit));
  return { ou: `/${names.join('/')}`, unitIds };
}

/** The ids from the root down to the OU of an account, by walking up from it. */
async function branchAbove(reader: Reader, id: AccountId): Promise<readonly string[]> {
  const branch: string[] = [];
  for (let child = id; branch.length < MAX_DEPTH; child = branch[0] ?? child) {
    const [parent] = await parentsOf(reader, child);
    if (parent !== undefined) branch.unshift(parent);
    if (parent?.startsWith('r-') === true) return branch;
    if (parent === undefined) break;
  }
  const message = `The organization changed while it was read: no path from account ${id} to the root was found. Read it again.`;
  throw reader.error('ListParents', 'Conflict', 'OrganizationChanged', message);
}

async function parentsOf(reader: Reader, id: string): Promise<readonly string[]> {
  const parents = await reader.all('ListParents', id, parentsPage, (client, NextToken) =>
    client.send(new ListParentsCommand({ ChildId: id, MaxResults: MAX_PAGE, NextToken })),
  );
  return parents.map(({ Id }) => Id);
}

/** The root and all OUs, each after its parent. One call at a time, because Organizations throttles parallel calls. */
export async function readUnits(reader: Reader): Promise<readonly OrganizationalUnit[]> {
  const units = (await listRoots(reader)).map(({ Id: id }): OrganizationalUnit => ({ id, parentId: null, path: '/' }));
  // The loop also visits the children that it adds.
  for (const { id: parentId, path } of units) {
    for (const { Id: id, Name } of await listUnits(reader, parentId)) {
      units.push({ id, parentId, path: childPath(path, Name) });
    }
  }
  return units;
}

const childPath = (path: string, name: string): string => `${path === '/' ? '' : path}/${pathStep(name)}`;

function listRoots(reader: Reader): Promise<z.infer<typeof node>[]> {
  return reader.all('ListRoots', '', rootsPage, (client, NextToken) =>
    client.send(new ListRootsCommand({ MaxResults: MAX_PAGE, NextToken })),
  );
}

/** Walks the tree down from the root. One call at a time, because Organizations throttles parallel calls. */
async function walk(reader: Reader, listed: ReadonlyMap<AccountId, Account>): Promise<Placed[]> {
  const pages = accountsPages();
  const units = new Map<string, Branch>((await listRoots(reader)).map(({ Id }) => [Id, { ou: '/', unitIds: [Id] }]));
  const placed = new Map<AccountId, Placed>();
  // The loop also visits the children that it adds to the map.
  for (const [ParentId, branch] of units) {
    for (const { Id, Name } of await listUnits(reader, ParentId)) {
      units.set(Id, { ou: childPath(branch.ou, Name), unitIds: [...branch.unitIds, Id] });
    }
    const accounts = await reader.all('ListAccountsForParent', ParentId, pages, (client, NextToken) =>
      client.send(new ListAccountsForParentCommand({ ParentId, MaxResults: MAX_PAGE, NextToken })),
    );
    for (const account of accounts) placed.set(account.Id, { account, branch });
  }
  for (const account of listed.values()) {
    if (placed.has(account.Id)) continue;
    placed.set(account.Id, { account, branch: await placeOfStray(reader, account.Id, units) });
  }
  return [...placed.values()];
}

/** Finds the OU of an account that the walk missed because the account was moved meanwhile. */
async function placeOfStray(reader: Reader, id: AccountId, units: ReadonlyMap<string, Branch>): Promise<Branch> {
  const parents = await parentsOf(reader, id);
  const branch = parents.map((parent) => units.get(parent)).find((each) => each !== undefined);
  if (branch !== undefined) return branch;
  const message = `The organization changed while it was read: account ${id} is in an OU that did not exist before. Read it again.`;
  throw reader.error('ListParents', 'Conflict', 'OrganizationChanged', message);
}

function listUnits(reader: Reader, ParentId: string): Promise<z.infer<typeof unit>[]> {
  return reader.all('ListOrganizationalUnitsForParent', ParentId, unitsPage, (client, NextToken) =>
    client.send(new ListOrganizationalUnitsForParentCommand({ ParentId, MaxResults: MAX_PAGE, NextToken })),
  );
}
