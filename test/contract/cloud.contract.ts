import { describe, expect, it, onTestFinished } from 'vitest';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EngineOptions } from '../../services/sandbox/engine/options.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import {
  type BeforeSend,
  type CallGate,
  type ChangeRequest,
  type Cloud,
  CloudError,
  type CloudErrorKind,
  type ListedEnrollment,
  type Page,
} from '../../shared/ports/cloud.ts';
import {
  associate,
  disassociate,
  updateConfiguration,
  updateOrganization,
  updateStatus,
} from '../support/change-requests.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { withoutRetries } from '../support/without-retries.ts';

/** The caller; `member` is an account that may neither read nor change the organization. */
export type CallerRole = 'management' | 'delegatedAdministrator' | 'member';

export interface WorldOptions {
  readonly sandbox?: Partial<EngineOptions>;
  readonly caller?: CallerRole;
  /** Receives every call. Calls are recorded in `World.calls` too. */
  readonly gate?: CallGate;
}

/** An adapter in front of a simulated organization, whose true state the tests compare with. */
export interface World {
  readonly cloud: Cloud;
  readonly sandbox: Sandbox;
  /** The time of both. */
  readonly clock: ManualClock;
  /** The calls of the gate, `acquire` and `report`, with their operation, in order. */
  readonly calls: readonly GateCall[];
  close(): Promise<void>;
}

export interface GateCall {
  readonly what: 'acquire' | 'ok' | 'throttled' | 'failed';
  readonly operation: string;
}

export type MakeCloud = (options: WorldOptions) => Promise<World>;

/** Runs the Cloud port's contract against one adapter. A gap names a promise that it does not keep, and why. */
export function cloudContract(
  adapter: string,
  makeCloud: MakeCloud,
  gaps: Readonly<Partial<Record<keyof typeof PROMISES, string>>> = {},
): void {
  const open = async (options: WorldOptions = {}): Promise<World> => {
    const world = await makeCloud(options);
    onTestFinished(() => world.close());
    return world;
  };
  describe(`Cloud contract: ${adapter}`, () => {
    for (const [name, promise] of Object.entries<Promised>(PROMISES)) {
      const reason = Object.entries(gaps).find(([gap]) => gap === name)?.[1];
      if (reason === undefined) it(name, () => promise(open));
      else it(`${name} (declared gap: ${reason})`, (test) => test.skip(reason));
    }
  });
}

type Promised = (open: (options?: WorldOptions) => Promise<World>) => Promise<void>;

/** A gate that records its calls and forwards them to the gate of the test. */
export function recordingGate(calls: GateCall[], inner?: CallGate): CallGate {
  return {
    async acquire(key) {
      calls.push({ what: 'acquire', operation: key.operation });
      await inner?.acquire(key);
    },
    report(key, outcome) {
      calls.push({ what: outcome, operation: key.operation });
      inner?.report(key, outcome);
    },
  };
}

/** The CloudError of a call. Fails the test if there is none. */
export async function failureOf(call: Promise<unknown>): Promise<CloudError> {
  const outcome = await call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof CloudError) return outcome.error;
  throw new Error(`expected a CloudError, got ${JSON.stringify(outcome)}`);
}

/** All pages of a listing, and their number. */
async function listAll(list: (token: string | null) => Promise<Page<ListedEnrollment>>) {
  const items: ListedEnrollment[] = [];
  let pages = 0;
  let token: string | null = null;
  do {
    const page: Page<ListedEnrollment> = await list(token);
    items.push(...page.items);
    pages += 1;
    token = page.nextToken;
  } while (token !== null);
  return { items, pages };
}

export function isPlainMember(world: World) {
  const { delegatedAdministratorId } = world.sandbox.info();
  return ({ management, state, accountId }: AccountTruth): boolean =>
    !management && state === 'ACTIVE' && accountId !== delegatedAdministratorId;
}

export function findMember(world: World, fits: (account: AccountTruth) => boolean = () => true): AccountTruth {
  const isMember = isPlainMember(world);
  const found = world.sandbox.accounts().find((each) => isMember(each) && fits(each));
  if (found === undefined) throw new Error('the sandbox has no such member');
  return found;
}

/** Sets the initial enrollments of an account. */
function set(
  { sandbox }: World,
  accountId: string,
  enrollment: 'computeOptimizer' | 'automation',
  status: 'Active' | 'Inactive' | 'Failed' | 'Pending',
): void {
  sandbox.drift({ changes: [{ accountId, enrollment, status }] });
}

export function truthOf({ sandbox }: World, accountId: string): AccountTruth {
  const [found] = sandbox.accounts(accountId);
  if (found === undefined) throw new Error(`the sandbox has no account ${accountId}`);
  return found;
}

/** The number of calls of an operation, by any caller. */
export function countOf({ sandbox }: World, operation: string): number {
  return sandbox
    .calls()
    .filter((call) => call.operation === operation)
    .reduce((sum, { count }) => sum + count, 0);
}

const now: BeforeSend = async () => undefined;

/** Retries retryable errors, at most ten times. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 10 || !(error instanceof CloudError) || !error.retryable) throw error;
    }
  }
}

/** AWS's error codes and their classification. Each is injected into the same call. */
const KINDS: readonly (readonly [code: string, kind: CloudErrorKind, ambiguous: boolean])[] = [
  ['ThrottlingException', 'Throttled', false],
  ['ServiceUnavailableException', 'Transient', false],
  ['InternalServerException', 'Transient', false],
  ['IdempotencyTokenInUseException', 'Transient', false],
  ['AccessDeniedException', 'Denied', false],
  ['NotManagementAccountException', 'Denied', false],
  ['ForbiddenException', 'Denied', true],
  ['OptInRequiredException', 'Prerequisite', false],
  ['ResourceNotFoundException', 'Prerequisite', false],
  ['InvalidParameterValueException', 'Invalid', true],
  ['IdempotentParameterMismatchException', 'Conflict', false],
];

const PROMISES = {
  async 'identify: the management account'(open) {
    const world = await open();
    const { organizationId, managementAccountId } = world.sandbox.info();
    expect(await world.cloud.identify()).toMatchObject({
      ...{ accountId: managementAccountId, partition: 'aws', organizationId, managementAccountId, role: 'management' },
      arn: expect.stringMatching(/^arn:aws:/),
    });
  },

  async 'identify: the delegated administrator'(open) {
    const world = await open({ caller: 'delegatedAdministrator' });
    const { delegatedAdministratorId, managementAccountId } = world.sandbox.info();
    expect(await world.cloud.identify()).toMatchObject({
      ...{ accountId: delegatedAdministratorId, managementAccountId, role: 'delegatedAdministrator' },
    });
  },

  async 'identify: any other account gets an error'(open) {
    const world = await open({ caller: 'member' });
    const { message, details } = await failureOf(world.cloud.identify());
    expect(details).toMatchObject({ kind: 'Denied', code: 'NotOrganizationCaller' });
    expect(message).toContain(world.sandbox.info().managementAccountId);
  },

  async 'readOrganization returns the whole organization'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 61 } });
      const progress: number[] = [];
      const onProgress = (accounts: number) => progress.push(accounts);
      const snapshot = await world.cloud.readOrganization({ tags: false, retry: withoutRetries, onProgress });
      const { organizationId, managementAccountId } = world.sandbox.info();
      expect(snapshot).toMatchObject({ organizationId, managementAccountId, takenAt: world.clock.now(), tags: false });
      expect(sorted(snapshot.accounts)).toEqual(
        world.sandbox.accounts().map(({ accountId: id, name, ou, state, management }) => ({
          ...{ id, name, ou, state, management, tags: null },
        })),
      );
      expect(progress.at(-1)).toBe(world.sandbox.accounts().length);
      expect(countOf(world, 'ListTagsForResource')).toBe(0);
    }
  },

  async 'readOrganization returns tags on request'(open) {
    const world = await open({ sandbox: { accounts: 12 } });
    const snapshot = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
    expect(snapshot.tags).toBe(true);
    expect(new Map(snapshot.accounts.map(({ id, tags }) => [id, tags]))).toEqual(
      new Map(world.sandbox.accounts().map(({ accountId, tags }) => [accountId, tags])),
    );
  },

  async 'readAccount returns the same account as readOrganization, in a few calls'(open) {
    for (const accountShape of ['current', 'older'] as const) {
      const world = await open({ sandbox: { accounts: 40, accountShape } });
      const { organizationId, managementAccountId } = world.sandbox.info();
      const whole = await world.cloud.readOrganization({ tags: true, retry: withoutRetries });
      const before = world.calls.length;
      const options = { organizationId, managementAccountId, retry: withoutRetries };
      const some = whole.accounts.slice(0, 8);
      for (const account of some) {
        expect(await world.cloud.readAccount(account.id, { ...options, tags: true })).toEqual(account);
      }
      expect(world.calls.length - before).toBeLessThanOrEqual(some.length * 14);
      const [first] = some;
      expect(await world.cloud.readAccount(first?.id ?? '', { ...options, tags: false })).toEqual({
        ...first,
        tags: null,
      });
      expect(await world.cloud.readAccount('999999999999', { ...options, tags: true })).toBeNull();
    }
  },

  async 'readOrganization retries single calls'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([{ service: 'organizations', kind: 'throttle', probability: 0.3 }]);
    const snapshot = await world.cloud.readOrganization({ tags: true, retry: patiently });
    expect(snapshot.accounts).toHaveLength(world.sandbox.accounts().length);
    expect(world.calls.some(({ what }) => what === 'throttled')).toBe(true);
  },

  async 'readOrganization without retry ends at the first throttling'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([
      { operation: 'ListAccounts', service: 'organizations', kind: 'throttle', from: 2, count: 1 },
    ]);
    const { kind, details } = await failureOf(world.cloud.readOrganization({ tags: false, retry: withoutRetries }));
    expect([kind, details.service, details.operation]).toEqual(['Throttled', 'organizations', 'ListAccounts']);
  },

  async 'readOrganization: an interrupted page returns nothing'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([
      { service: 'organizations', operation: 'ListAccounts', kind: 'torn-page', from: 2, count: 1 },
    ]);
    expect((await failureOf(world.cloud.readOrganization({ tags: false, retry: patiently }))).kind).toBe('Invalid');
  },

  async 'readOrganization: continues after empty pages with a token'(open) {
    const world = await open({ sandbox: { accounts: 61 } });
    world.sandbox.setFaults([{ service: 'organizations', kind: 'empty-page', probability: 0.4 }]);
    const snapshot = await world.cloud.readOrganization({ tags: false, retry: withoutRetries });
    expect(snapshot.accounts.map(({ ou }) => ou).sort()).toEqual(
      world.sandbox
        .accounts()
        .map(({ ou }) => ou)
        .sort(),
    );
  },

  async 'trustedAccess: the present state, for callers that may read the organization'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const { cloud, sandbox } = await open({ caller });
      expect(await cloud.trustedAccess()).toBe(true);
      sandbox.setTrustedAccess(false);
      expect(await cloud.trustedAccess()).toBe(false);
    }
    const { cloud } = await open({ caller: 'member' });
    await expect(cloud.trustedAccess()).rejects.toMatchObject({ details: { kind: 'Denied' } });
  },

  async 'list: Compute Optimizer, every member once, 100 per page'(open) {
    for (const caller of ['management', 'delegatedAdministrator'] as const) {
      const world = await open({ caller, sandbox: { accounts: 251, drift: 0.4 } });
      const { items, pages } = await listAll((pageToken) => world.cloud.list('computeOptimizer', pageToken));
      expect(pages).toBe(3);
      const members = world.sandbox.accounts().filter(({ management }) => !management);
      expect(items).toEqual(members.map((each) => ({ accountId: each.accountId, observed: computeOptimizerOf(each) })));
    }
  },

  async 'listings: an empty page is returned, an interrupted one throws'(open) {
    const world = await open({ sandbox: { accounts: 251 } });
    const list = (pageToken: string | null) => world.cloud.list('computeOptimizer', pageToken);
    world.sandbox.setFaults([{ kind: 'empty-page', from: 2, count: 2 }]);
    expect((await listAll(list)).items).toHaveLength(world.sandbox.accounts().length - 1);
    world.sandbox.setFaults([{ kind: 'torn-page', from: 1, count: 1 }]);
    expect((await failureOf(listAll(list))).kind).toBe('Invalid');
  },

  async 'list: Automation, the accounts enrolled in Compute Optimizer, with the rule mode'(open) {
    const world = await open({ sandbox: { accounts: 120, drift: 0.5 } });
    const { items, pages } = await listAll((pageToken) => world.cloud.list('automation', pageToken));
    const enrolled = world.sandbox
      .accounts()
      .filter(({ management, computeOptimizer }) => !management && computeOptimizer.status === 'Active');
    expect(pages).toBe(1);
    expect(items).toEqual(enrolled.map((each) => ({ accountId: each.accountId, observed: automationOf(each) })));
    expect(new Set(items.map(({ observed }) => observed.ruleMode)).size).toBe(2);
  },

  async 'listings are denied to other accounts'(open) {
    const world = await open({ caller: 'member' });
    expect((await failureOf(world.cloud.list('computeOptimizer', null))).kind).toBe('Denied');
    expect((await failureOf(world.cloud.list('automation', null))).kind).toBe('Denied');
  },

  async 'reads are live and return their own account, even concurrently'(open) {
    const world = await open({ sandbox: { accounts: 60, drift: 0.5 } });
    const accounts = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    const reads = accounts.flatMap(({ accountId }) => [accountId, accountId, accountId]);
    const observed = await Promise.all(reads.map((accountId) => world.cloud.read('computeOptimizer', accountId)));
    expect(observed).toEqual(reads.map((accountId) => computeOptimizerOf(truthOf(world, accountId))));
    const automation = await Promise.all(accounts.map(({ accountId }) => world.cloud.read('automation', accountId)));
    for (const [index, account] of accounts.entries()) {
      if (account.computeOptimizer.status === 'Active') expect(automation[index]).toEqual(automationOf(account));
    }
  },

  async 'a read that needs an opt-in first is Inactive'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Inactive');
    expect(await world.cloud.read('automation', accountId)).toMatchObject({ kind: 'observed', status: 'Inactive' });
    for (const code of ['OptInRequiredException', 'ResourceNotFoundException']) {
      world.sandbox.setFaults([{ operation: 'GetEnrollmentConfiguration', kind: 'denied', code }]);
      const { managementAccountId } = world.sandbox.info();
      expect((await world.cloud.read('automation', managementAccountId)).status).toBe('Inactive');
    }
  },

  async 'change: UpdateEnrollmentStatus changes only the one account'(open) {
    const world = await open({ sandbox: { accounts: 30 } });
    const { accountId } = findMember(world);
    const others = world.sandbox.accounts().filter((each) => each.accountId !== accountId);
    const result = await world.cloud.change(updateStatus(accountId, 'Inactive'), now);
    expect(result).toMatchObject({ requestId: expect.any(String), refused: new Map() });
    expect(truthOf(world, accountId).computeOptimizer.status).toBe('Inactive');
    expect(world.sandbox.accounts().filter((each) => each.accountId !== accountId)).toEqual(others);
    const { managementAccountId } = world.sandbox.info();
    await world.cloud.change(updateStatus(managementAccountId, 'Inactive'), now);
    expect(truthOf(world, managementAccountId).computeOptimizer.status).toBe('Inactive');
  },

  async 'change: UpdateEnrollmentStatus for the whole organization'(open) {
    const world = await open({ sandbox: { accounts: 30, drift: 0.5 } });
    await world.cloud.change(updateOrganization('Active'), now);
    const open_ = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(new Set(open_.map(({ computeOptimizer }) => computeOptimizer.status))).toEqual(new Set(['Active']));
  },

  async 'change: a token repeats only the same call'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Active');
    const request = updateConfiguration(accountId, 'Active');
    await world.cloud.change(request, now);
    expect(truthOf(world, accountId).automation.status).toBe('Active');
    await world.cloud.change(request, now);
    const other = await failureOf(world.cloud.change({ ...request, status: 'Inactive' }, now));
    expect(other.details).toMatchObject({ kind: 'Conflict', code: 'IdempotentParameterMismatchException' });
  },

  async 'change: an error code with several causes is marked ambiguous'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    set(world, accountId, 'computeOptimizer', 'Active');
    await world.cloud.change(associate([accountId], 'a'), now);
    const update = (status: 'Active' | 'Inactive', clientToken: string) =>
      world.cloud.change(updateConfiguration(accountId, status, clientToken), now);
    expect((await failureOf(update('Inactive', 'b'))).details).toMatchObject({ kind: 'Invalid', ambiguous: true });
    await world.cloud.change(disassociate([accountId], 'c'), now);
    await update('Inactive', 'd');
    expect((await failureOf(update('Active', 'e'))).details).toMatchObject({ kind: 'Denied', ambiguous: true });
  },

  async 'change: success of a batch is per account'(open) {
    const world = await open({ sandbox: { accounts: 30 } });
    const isMember = isPlainMember(world);
    const [first, second, third] = world.sandbox
      .accounts()
      .filter(isMember)
      .map(({ accountId }) => accountId);
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few members');
    set(world, first, 'computeOptimizer', 'Active');
    set(world, second, 'computeOptimizer', 'Inactive');
    const accountIds = [first, second, '999999999999'];
    const { refused } = await world.cloud.change(associate(accountIds, 'a'), now);
    expect([...refused.keys()]).toEqual([second, '999999999999']);
    for (const [id, reason] of refused) expect(reason).toContain(id);
    expect(truthOf(world, first).automation).toMatchObject({ status: 'Active', organizationRuleMode: 'AnyAllowed' });
    const gone = await world.cloud.change(disassociate([first, third], 'b'), now);
    expect(gone.refused).toEqual(new Map());
    expect(truthOf(world, first).automation.organizationRuleMode).toBe('NoneAllowed');
  },

  async 'an empty batch or one of more than 50 accounts is rejected before it is sent'(open) {
    const world = await open();
    for (const size of [0, 51]) {
      const accountIds = Array.from({ length: size }, (_, index) => String(100_000_000_000 + index));
      const { details } = await failureOf(world.cloud.change(associate(accountIds), now));
      expect(details).toMatchObject({ kind: 'Invalid', code: 'BatchSize' });
    }
    expect(countOf(world, 'AssociateAccounts')).toBe(0);
  },

  async 'change: an action that the kind does not have is rejected before it is sent'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    const requests: readonly ChangeRequest[] = [
      { ...updateStatus(accountId, 'Active'), kind: 'automation' },
      { ...updateConfiguration(accountId, 'Active'), kind: 'computeOptimizer' },
      { ...associate([accountId]), target: { scope: 'account', accountId } },
      { ...updateConfiguration(accountId, 'Active'), target: { scope: 'organization' } },
      { ...updateStatus(accountId, 'Active'), target: { scope: 'batch', accountIds: [accountId] } },
    ];
    for (const request of requests) {
      const { details } = await failureOf(world.cloud.change(request, now));
      expect(details).toMatchObject({ kind: 'Invalid', code: 'UnsupportedChange' });
    }
    expect(world.sandbox.calls().map(({ operation }) => operation)).toEqual([]);
  },

  async 'an adapter is a plain object that a decorator can spread'(open) {
    const { cloud } = await open();
    const observed = {
      kind: 'observed',
      status: 'Failed',
      ruleMode: null,
      statusReason: null,
      lastUpdated: null,
    } as const;
    const decorated: Cloud = { ...cloud, read: async () => observed };
    expect(await decorated.identify()).toEqual(await cloud.identify());
    expect(await decorated.list('computeOptimizer', null)).toEqual(await cloud.list('computeOptimizer', null));
    expect(await decorated.read('automation', '111122223333')).toBe(observed);
  },

  async 'beforeSend runs after every wait, and its error is rethrown unchanged without a call'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    const stop = new Error('halted');
    const mutations = [
      updateStatus(accountId, 'Active'),
      updateOrganization('Active'),
      updateConfiguration(accountId, 'Active', 'a'),
      associate([accountId], 'b'),
      disassociate([accountId], 'c'),
    ];
    const before = world.sandbox.accounts();
    for (const mutation of mutations) {
      let seen = -1;
      const check = async () => {
        seen = world.calls.length;
        throw stop;
      };
      await expect(world.cloud.change(mutation, check)).rejects.toBe(stop);
      expect(seen).toBe(world.calls.length);
      expect(world.calls.at(-1)?.what).toBe('acquire');
    }
    expect(world.sandbox.accounts()).toEqual(before);
  },

  async 'every call acquires a slot before and reports its outcome after, once'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    await world.cloud.identify();
    await world.cloud.read('computeOptimizer', accountId);
    world.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', kind: 'throttle' }]);
    expect((await failureOf(world.cloud.read('computeOptimizer', accountId))).kind).toBe('Throttled');
    world.sandbox.setFaults([{ operation: 'GetEnrollmentStatus', kind: 'unavailable' }]);
    expect((await failureOf(world.cloud.read('computeOptimizer', accountId))).kind).toBe('Transient');
    const told = world.calls.filter(({ operation }) => operation === 'GetEnrollmentStatus').map(({ what }) => what);
    expect(told).toEqual(['acquire', 'ok', 'acquire', 'throttled', 'acquire', 'failed']);
    expect(countOf(world, 'GetEnrollmentStatus')).toBe(3);
    const acquired = world.calls.filter(({ what }) => what === 'acquire').length;
    expect(acquired).toBe(world.sandbox.calls().reduce((sum, { count }) => sum + count, 0));
    expect(world.calls).toHaveLength(2 * acquired);
  },

  async 'errors are classified by code'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    for (const [code, kind, ambiguous] of KINDS) {
      world.sandbox.setFaults([{ operation: 'UpdateEnrollmentConfiguration', kind: 'denied', code }]);
      const error = await failureOf(world.cloud.change(updateConfiguration(accountId, 'Active'), now));
      expect(error.details).toMatchObject({ kind, code, ambiguous, accountId, service: 'aco-automation' });
      expect(error.details.operation).toBe('UpdateEnrollmentConfiguration');
      expect(error.message).toContain(accountId);
      expect(error.message).toContain(code);
    }
  },

  async 'a member role that cannot be assumed: Denied, for that account'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    world.sandbox.changeAccounts({ update: [{ accountId, roleAssumable: false }] });
    const { details } = await failureOf(world.cloud.read('computeOptimizer', accountId));
    expect(details).toMatchObject({ kind: 'Denied', service: 'sts', operation: 'AssumeRole', accountId });
    expect(details.code).toBe('AccessDenied');
  },

  async 'an expired session is renewed'(open) {
    const world = await open();
    const { accountId } = findMember(world);
    await world.cloud.read('computeOptimizer', accountId);
    await world.clock.advance(30 * 60_000);
    await world.cloud.read('computeOptimizer', accountId);
    expect(countOf(world, 'AssumeRole')).toBe(1);
    await world.clock.advance(26 * 60_000);
    await world.cloud.read('computeOptimizer', accountId);
    expect(countOf(world, 'AssumeRole')).toBe(2);
  },
} satisfies Record<string, Promised>;

function sorted<T extends { readonly id: string }>(accounts: readonly T[]): T[] {
  return [...accounts].sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** AWS's timestamps have at most milliseconds, and the protocol may use whole seconds. */
const about = (date: Date) => expect.closeTo(date.getTime(), -3);

function computeOptimizerOf({ computeOptimizer: { status, statusReason, lastUpdatedTimestamp } }: AccountTruth) {
  return { kind: 'observed', status, ruleMode: null, statusReason, lastUpdated: about(lastUpdatedTimestamp) };
}

function automationOf({ automation }: AccountTruth) {
  const { status, statusReason, organizationRuleMode: ruleMode, lastUpdatedTimestamp } = automation;
  return { kind: 'observed', status, ruleMode, statusReason, lastUpdated: about(lastUpdatedTimestamp) };
}
