import { COOL_DOWN_MS } from '../../shared/domain/decision/assess.ts';
import type { AccountId, Caller, RuleMode, TargetStatus } from '../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import {
  type BatchRequest,
  type BatchResult,
  type BeforeSend,
  type CallResult,
  type Cloud,
  CloudError,
  type CloudErrorKind,
  type ListedEnrollment,
  type Observed,
  type Page,
} from '../../shared/ports/cloud.ts';
import type { Clock } from '../../shared/ports/system.ts';

/** What one account holds. */
interface Holding {
  computeOptimizer: Observed;
  automation: Observed;
}

export interface WireCall {
  readonly operation: string;
  /** Whom it is about; of the organization-wide call those that it changes. */
  readonly accountIds: readonly AccountId[];
  readonly status: TargetStatus | null;
  readonly clientToken: string | null;
}

/** What meets a call: thrown before it has an effect, after it (the answer is lost), or awaited before it. */
export interface Trouble {
  readonly before?: CloudError;
  readonly after?: CloudError;
  readonly wait?: Promise<unknown>;
  /** A batch: these are left out of the answer, and nothing happens to them. */
  readonly refused?: readonly AccountId[];
}

export interface MemoryCloudOptions {
  readonly clock: Clock;
  readonly caller: Caller;
  readonly accounts: readonly OrganizationAccount[];
  /** How long an enrollment stays Pending. */
  readonly pendingMs?: number;
  /** Default true. */
  readonly trustedAccess?: boolean;
  /** Asked for every call; what it answers happens to it. */
  readonly trouble?: (call: WireCall) => Trouble | null | undefined;
}

/** A cloud in memory that behaves as AWS does (docs/aws-behaviour.md) and records every call. For one process. */
export interface MemoryCloud extends Cloud {
  readonly holdings: Map<AccountId, Holding>;
  readonly calls: WireCall[];
  /** The mutating ones among them. */
  readonly changes: readonly WireCall[];
  /** Someone else does it, from within the account. */
  set(accountId: AccountId, what: Partial<Record<'computeOptimizer' | 'automation', Partial<Observed>>>): void;
}

export function cloudError(kind: CloudErrorKind, code: string, ambiguous = false): CloudError {
  const facts = { kind, code, service: 'test', operation: 'test', accountId: null, requestId: 'request-1', ambiguous };
  return new CloudError(`${code} on purpose`, facts);
}

const INACTIVE: Observed = {
  kind: 'observed',
  status: 'Inactive',
  ruleMode: null,
  statusReason: null,
  lastUpdated: null,
};

const MUTATING = new Set([
  'UpdateEnrollmentStatus',
  'UpdateEnrollmentConfiguration',
  'AssociateAccounts',
  'DisassociateAccounts',
]);

class World {
  readonly holdings = new Map<AccountId, Holding>();
  readonly calls: WireCall[] = [];
  readonly #options: MemoryCloudOptions;
  readonly #landing = new Map<Observed, { readonly at: number; readonly target: TargetStatus }>();
  readonly #tokens = new Map<string, unknown>();

  constructor(options: MemoryCloudOptions) {
    this.#options = options;
    for (const { id } of options.accounts) {
      this.holdings.set(id, { computeOptimizer: INACTIVE, automation: { ...INACTIVE, ruleMode: 'NoneAllowed' } });
    }
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** A wire call: last check, trouble, effect, answer. A client token that was answered before answers the same and does nothing. */
  async make<T>(call: WireCall, effect: (refused: readonly AccountId[]) => T, beforeSend?: BeforeSend): Promise<T> {
    await beforeSend?.();
    this.calls.push(call);
    const trouble = this.#options.trouble?.(call) ?? {};
    await trouble.wait;
    if (trouble.before !== undefined) throw trouble.before;
    const known = call.clientToken === null ? undefined : this.#tokens.get(call.clientToken);
    // The map holds what this very operation answered to this very token before.
    const answer = known === undefined ? effect(trouble.refused ?? []) : (known as T);
    if (call.clientToken !== null) this.#tokens.set(call.clientToken, answer);
    if (trouble.after !== undefined) throw trouble.after;
    return answer;
  }

  holding(accountId: AccountId): Holding {
    const holding = this.holdings.get(accountId);
    if (holding === undefined) throw cloudError('Denied', 'AccessDenied');
    for (const name of ['computeOptimizer', 'automation'] as const) {
      const landing = this.#landing.get(holding[name]);
      if (landing === undefined || landing.at > this.now()) continue;
      holding[name] = { ...holding[name], status: landing.target, lastUpdated: landing.at };
    }
    return holding;
  }

  move(accountId: AccountId, name: 'computeOptimizer' | 'automation', target: TargetStatus): Observed {
    const holding = this.holding(accountId);
    const { pendingMs = 0 } = this.#options;
    const status = pendingMs > 0 ? 'Pending' : target;
    holding[name] = { ...holding[name], status, lastUpdated: this.now() };
    if (pendingMs > 0) this.#landing.set(holding[name], { at: this.now() + pendingMs, target });
    return holding[name];
  }

  associate(accountId: AccountId, ruleMode: RuleMode): void {
    const holding = this.holding(accountId);
    holding.automation = { ...holding.automation, ruleMode };
    if (ruleMode === 'AnyAllowed' && holding.automation.status !== 'Active') this.enable(accountId);
  }

  enable(accountId: AccountId): void {
    const { computeOptimizer, automation } = this.holding(accountId);
    if (computeOptimizer.status !== 'Active') throw cloudError('Prerequisite', 'OptInRequiredException');
    const { status, lastUpdated } = automation;
    if (status === 'Inactive' && lastUpdated !== null && this.now() - lastUpdated < COOL_DOWN_MS) {
      throw cloudError('Denied', 'ForbiddenException', true);
    }
    this.move(accountId, 'automation', 'Active');
  }

  disable(accountId: AccountId): void {
    if (this.holding(accountId).automation.ruleMode === 'AnyAllowed') {
      throw cloudError('Denied', 'ForbiddenException', true);
    }
    this.move(accountId, 'automation', 'Inactive');
  }
}

export function memoryCloud(options: MemoryCloudOptions): MemoryCloud {
  const world = new World(options);
  const { caller, accounts, clock } = options;
  const members = accounts.filter(({ management }) => !management);
  const read = (operation: string, accountIds: readonly AccountId[] = []): WireCall => {
    return { operation, accountIds, status: null, clientToken: null };
  };
  const listed = (name: 'computeOptimizer' | 'automation'): Page<ListedEnrollment> => ({
    items: members.flatMap(({ id, state }) => {
      const holding = state === 'ACTIVE' ? world.holding(id) : null;
      if (holding === null) return [];
      if (name === 'automation' && holding.computeOptimizer.status !== 'Active') return [];
      return [{ accountId: id, observed: holding[name] }];
    }),
    nextToken: null,
  });
  const batch = (operation: string, ruleMode: RuleMode) => (request: BatchRequest, beforeSend: BeforeSend) => {
    const { accountIds, clientToken } = request;
    const call = { operation, accountIds, status: null, clientToken };
    return world.make(
      call,
      (refused): BatchResult => {
        const succeeded = new Set<AccountId>();
        const errors: string[] = [];
        for (const id of accountIds) {
          if (refused.includes(id)) {
            errors.push(`${id}: not now`);
            continue;
          }
          world.associate(id, ruleMode);
          succeeded.add(id);
        }
        return { requestId: 'request-1', succeeded, errors };
      },
      beforeSend,
    );
  };
  const answered = (observed: Observed): CallResult => {
    return { requestId: 'request-1', status: observed.status, statusReason: observed.statusReason };
  };
  return {
    holdings: world.holdings,
    calls: world.calls,
    get changes() {
      return world.calls.filter(({ operation }) => MUTATING.has(operation));
    },
    set(accountId, what) {
      const holding = world.holding(accountId);
      const { computeOptimizer, automation } = what;
      if (computeOptimizer) holding.computeOptimizer = { ...holding.computeOptimizer, ...computeOptimizer };
      if (automation) holding.automation = { ...holding.automation, ...automation };
    },
    identify: async () => caller,
    readOrganization: ({ tags }) =>
      world.make(read('ListAccounts'), () => ({
        organizationId: caller.organizationId,
        managementAccountId: caller.managementAccountId,
        takenAt: clock.now(),
        tags,
        accounts,
      })),
    readAccount: (id, { tags }) =>
      world.make(read('DescribeAccount', [id]), () => {
        const found = accounts.find((each) => each.id === id) ?? null;
        return found === null ? null : { ...found, tags: tags ? found.tags : null };
      }),
    trustedAccess: () => world.make(read('ListAWSServiceAccessForOrganization'), () => options.trustedAccess ?? true),
    listEnrollmentStatuses: () =>
      world.make(read('GetEnrollmentStatusesForOrganization'), () => listed('computeOptimizer')),
    listAutomationAccounts: () => world.make(read('ListAutomationAccounts'), () => listed('automation')),
    readComputeOptimizer: (id) =>
      world.make(read('GetEnrollmentStatus', [id]), () => world.holding(id).computeOptimizer),
    readAutomation: (id) => world.make(read('GetEnrollmentConfiguration', [id]), () => world.holding(id).automation),
    updateEnrollmentStatus: ({ accountId, status, includeMemberAccounts }, beforeSend) => {
      const differing = members.filter(({ id }) => world.holding(id).computeOptimizer.status !== status);
      const accountIds = includeMemberAccounts ? differing.map(({ id }) => id) : [accountId];
      const call = { operation: 'UpdateEnrollmentStatus', accountIds, status, clientToken: null };
      return world.make(
        call,
        () => {
          for (const id of includeMemberAccounts ? accountIds : []) world.move(id, 'computeOptimizer', status);
          return answered(world.move(accountId, 'computeOptimizer', status));
        },
        beforeSend,
      );
    },
    updateEnrollmentConfiguration: ({ accountId, status, clientToken }, beforeSend) => {
      const call = { operation: 'UpdateEnrollmentConfiguration', accountIds: [accountId], status, clientToken };
      return world.make(
        call,
        () => {
          if (status === 'Active') world.enable(accountId);
          else world.disable(accountId);
          return answered(world.holding(accountId).automation);
        },
        beforeSend,
      );
    },
    associateAccounts: batch('AssociateAccounts', 'AnyAllowed'),
    disassociateAccounts: batch('DisassociateAccounts', 'NoneAllowed'),
  };
}
