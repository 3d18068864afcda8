import { Organization } from './organization.ts';
import { createRandom, type Random, randomBelow, randomText, sample } from './random.ts';
import type { Account, Enrollment, HubEnrollment, OrganizationalUnit, Status } from './types.ts';

/** Parameters of the generated organization. Fractions refer to its ACTIVE member accounts. */
export type WorldOptions = {
  /** Number of accounts, including the management account. */
  accounts: number;
  /** Number of OUs, not counting the root. */
  ous: number;
  seed: number;
  partition: string;
  /** Fraction whose Compute Optimizer starts Inactive. */
  drift: number;
  /** Fraction whose member role cannot be assumed. */
  brokenRoles: number;
  /** Fraction of the accounts with Automation that opted out of it less than 24 hours ago. */
  coolingDown: number;
  now: number;
};

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const DAY_MS = 86_400_000;
/** All generated times are before this one, so that a seed gives the same organization on any day. */
const EPOCH = Date.UTC(2026, 0, 1);

type UnitPlan = { path: string; share: number; env: string };

/** Shares of the accounts per OU; parents come before their children. */
const UNITS: readonly UnitPlan[] = [
  { path: '/Workloads', share: 0, env: 'prod' },
  { path: '/Workloads/Prod', share: 16, env: 'prod' },
  { path: '/Workloads/Prod/Payments', share: 7, env: 'prod' },
  { path: '/Workloads/Prod/Retail', share: 7, env: 'prod' },
  { path: '/Workloads/Test', share: 10, env: 'test' },
  { path: '/Workloads/Dev', share: 28, env: 'dev' },
  { path: '/Platform', share: 4, env: 'platform' },
  { path: '/Platform/Network', share: 3, env: 'platform' },
  { path: '/Platform/Shared Services', share: 3, env: 'platform' },
  { path: '/Security', share: 4, env: 'security' },
  { path: '/Sandbox', share: 14, env: 'sandbox' },
  { path: '/Canary', share: 4, env: 'canary' },
];
/** The number of OUs of {@link UNITS}: there are never fewer. */
export const USUAL_OUS = UNITS.length;
const TEAMS = ['atlas', 'borealis', 'checkout', 'data', 'edge', 'finance', 'growth', 'identity', 'logistics', 'search'];

/** OUs whose accounts have Automation Active and are associated with the management account. */
const automated = (path: string): boolean => path.startsWith('/Workloads/Prod') || path.startsWith('/Platform');

/** The usual OUs, and one OU per team below the root for the rest. */
function unitsOf(ous: number): readonly UnitPlan[] {
  const teams = Array.from({ length: Math.max(0, ous - USUAL_OUS) }, (_, index): UnitPlan => {
    return { path: `/Team ${String(index + 1).padStart(2, '0')}`, share: 4, env: 'dev' };
  });
  return [...UNITS, ...teams];
}

/** Builds an organization from its options only: the same seed gives the same organization. */
export function generateOrganization(options: WorldOptions): Organization {
  const random = createRandom(options.seed);
  const epoch = Math.min(EPOCH, options.now);
  const id = `o-${randomText(random, LOWER, 10)}`;
  const ids = uniqueIds(random, options.accounts);
  const managementId = ids[0] ?? '';
  const arnPrefix = `arn:${options.partition}:organizations::${managementId}`;
  const plans = unitsOf(options.ous);
  const units = buildUnits(random, plans, id, arnPrefix);
  const populate = new Population(random, epoch, plans, units);
  const management = populate.management(managementId);
  const delegatedAdministrator = populate.member(ids[1] ?? '', units.at('/Security'), 'delegated-admin');
  const accounts = [management, delegatedAdministrator];
  for (let index = 2; index < ids.length; index += 1)
    accounts.push(populate.member(ids[index] ?? '', populate.pickUnit(index - 2), undefined));
  const ordinary = accounts.slice(2);
  closeSome(random, ordinary);
  const open = ordinary.filter((account) => account.state === 'ACTIVE');
  const share = (fraction: number, of: readonly Account[]): Account[] =>
    sample(random, of, Math.round(fraction * of.length));
  // Each choice is drawn even if its fraction is 0, so that one option does not change the choices of another.
  for (const account of share(options.brokenRoles, open)) account.roleAssumable = false;
  const enrolled = open.filter((account) => account.associated);
  for (const account of share(options.coolingDown, enrolled)) {
    const since = options.now - randomBelow(random, 23 * 60 * 60 * 1000);
    account.automation = enrollment('Inactive', since);
    account.automationOptedOutAt = since;
    account.associated = false;
  }
  for (const account of share(options.drift, open)) {
    account.computeOptimizer.status = 'Inactive';
    account.automation.status = 'Inactive';
    account.associated = false;
  }
  return new Organization({
    id,
    partition: options.partition,
    root: units.root,
    accounts,
    management,
    delegatedAdministrator,
  });
}

/** A new enrollment record. */
export function enrollment(status: Status, updatedAt: number): Enrollment {
  return { status, reason: null, updatedAt, target: null, change: 0 };
}

/** An account that was never enrolled in Cost Optimization Hub. */
export function neverEnrolled(now: number): HubEnrollment {
  return { status: 'Inactive', createdAt: null, updatedAt: now };
}

/** 12-digit ids without a leading zero. */
export function freshAccountId(random: Random): string {
  return String(100_000_000_000 + randomBelow(random, 900_000_000_000));
}

function uniqueIds(random: Random, count: number): string[] {
  const ids = new Set<string>();
  while (ids.size < count) ids.add(freshAccountId(random));
  return [...ids];
}

function closeSome(random: Random, accounts: readonly Account[]): void {
  const chosen = accounts.length < 10 ? [] : sample(random, accounts, Math.max(2, Math.round(accounts.length * 0.02)));
  for (const [index, account] of chosen.entries()) account.state = index % 2 === 0 ? 'SUSPENDED' : 'PENDING_CLOSURE';
}

type Units = { root: OrganizationalUnit; at(path: string): OrganizationalUnit };

function buildUnits(random: Random, plans: readonly UnitPlan[], organizationId: string, arnPrefix: string): Units {
  const suffix = randomText(random, LOWER, 4);
  const rootId = `r-${suffix}`;
  const root: OrganizationalUnit = {
    id: rootId,
    arn: `${arnPrefix}:root/${organizationId}/${rootId}`,
    name: 'Root',
    path: '/',
    idPath: `${organizationId}/${rootId}/`,
    parent: null,
    children: [],
    accounts: [],
  };
  const byPath = new Map([['/', root]]);
  for (const { path } of plans) {
    const parent = byPath.get(path.slice(0, path.lastIndexOf('/')) || '/') ?? root;
    const id = `ou-${suffix}-${randomText(random, LOWER, 8)}`;
    const unit: OrganizationalUnit = {
      id,
      arn: `${arnPrefix}:ou/${organizationId}/${id}`,
      name: path.slice(path.lastIndexOf('/') + 1),
      path,
      idPath: `${parent.idPath}${id}/`,
      parent,
      children: [],
      accounts: [],
    };
    parent.children.push(unit);
    byPath.set(path, unit);
  }
  return { root, at: (path) => byPath.get(path) ?? root };
}

class Population {
  readonly #random: Random;
  readonly #epoch: number;
  readonly #plans: readonly UnitPlan[];
  readonly #units: Units;
  readonly #populated: readonly UnitPlan[];
  readonly #totalShare: number;
  readonly #named = new Map<string, number>();
  readonly #tagSets = new Map<string, Readonly<Record<string, string>>>();

  constructor(random: Random, epoch: number, plans: readonly UnitPlan[], units: Units) {
    this.#random = random;
    this.#epoch = epoch;
    this.#plans = plans;
    this.#units = units;
    this.#populated = plans.filter(({ share }) => share > 0);
    this.#totalShare = plans.reduce((sum, { share }) => sum + share, 0);
  }

  /** The first accounts go to one OU each; the rest follow the shares. */
  pickUnit(index: number): OrganizationalUnit {
    const first = this.#populated[index];
    if (first !== undefined) return this.#units.at(first.path);
    let left = this.#random() * this.#totalShare;
    const plan = this.#populated.find(({ share }) => {
      left -= share;
      return left < 0;
    });
    return this.#units.at(plan?.path ?? '/');
  }

  management(id: string): Account {
    const account = this.#account(id, this.#units.root, 'management', { env: 'management', team: 'platform' });
    account.management = true;
    // The member role is deployed by a StackSet, which does not include the management account.
    account.roleAssumable = false;
    account.automation.status = 'Active';
    return account;
  }

  member(id: string, unit: OrganizationalUnit, fixedName: string | undefined): Account {
    const env = this.#plans.find(({ path }) => path === unit.path)?.env ?? 'none';
    const team = TEAMS[randomBelow(this.#random, TEAMS.length)] ?? 'atlas';
    const account = this.#account(id, unit, fixedName ?? this.#name(`${env}-${team}`), this.#tags(env, team));
    if (automated(unit.path)) {
      account.automation.status = 'Active';
      account.associated = true;
    }
    return account;
  }

  #account(id: string, ou: OrganizationalUnit, name: string, tags: Readonly<Record<string, string>>): Account {
    const joinedAt = this.#before(2000, 400);
    return {
      id,
      name,
      email: `${name}@example.com`,
      ou,
      tags,
      formerTags: null,
      state: 'ACTIVE',
      joinedAt,
      invited: this.#random() < 0.1,
      management: false,
      roleAssumable: true,
      enrollmentFailure: null,
      computeOptimizer: enrollment('Active', this.#before(390, 30)),
      automation: enrollment('Inactive', this.#before(390, 30)),
      costOptimizationHub: neverEnrolled(joinedAt),
      associated: false,
      automationOptedOutAt: null,
    };
  }

  /** A whole second between `most` and `least` days before the epoch of generated times. */
  #before(most: number, least: number): number {
    const span = ((most - least) * DAY_MS) / 1000;
    return this.#epoch - least * DAY_MS - randomBelow(this.#random, span) * 1000;
  }

  #name(prefix: string): string {
    const number = (this.#named.get(prefix) ?? 0) + 1;
    this.#named.set(prefix, number);
    return `${prefix}-${String(number).padStart(3, '0')}`;
  }

  #tags(env: string, team: string): Readonly<Record<string, string>> {
    const key = `${env}/${team}`;
    const known = this.#tagSets.get(key);
    if (known !== undefined) return known;
    const tags = Object.freeze({ env, team });
    this.#tagSets.set(key, tags);
    return tags;
  }
}
