import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  KINDS,
  kindOf,
} from '../../shared/domain/enrollment/kinds/index.ts';
import type {
  AccountId,
  Caller,
  OrganizationalUnit,
  RuleMode,
  TargetStatus,
} from '../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import {
  type ChangeRequest,
  type ChangeResult,
  type Cloud,
  CloudError,
  type CloudErrorKind,
  type ListedEnrollment,
  type Observed,
  type Page,
  type SendChange,
} from '../../shared/ports/cloud.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { DAY } from './domain-kit.ts';
import { memoryConfigurations } from './memory-configurations.ts';

/** The enrollments of one account. */
type Holding = Record<EnrollmentId, Observed>;

export interface WireCall {
  /** AWS's name of the operation, or `list` and the kind: two services have a `ListAccounts`. */
  readonly operation: string;
  /** The accounts of the call; for the organization-wide call, those that it changes. */
  readonly accountIds: readonly AccountId[];
  readonly status: TargetStatus | null;
  readonly clientToken: string | null;
}

/** A fault of a call: an error before its effect or after it (the answer is lost), or a wait before it. */
export interface Trouble {
  readonly before?: CloudError;
  readonly after?: CloudError;
  readonly wait?: Promise<unknown>;
  /** A batch: these accounts are missing from the answer and are not changed. */
  readonly refused?: readonly AccountId[];
}

export interface MemoryCloudOptions {
  readonly clock: Clock;
  readonly caller: Caller;
  readonly accounts: readonly OrganizationAccount[];
  /** How long an enrollment stays Pending. */
  readonly pendingMs?: number;
  /** Tags that differ from those of `accounts`, as if the snapshot's were outdated. `null`: the account has left. */
  readonly liveTags?: ReadonlyMap<AccountId, OrganizationAccount['tags']>;
  /** Default true. */
  readonly trustedAccess?: boolean;
  /** Returns the fault of each call. */
  readonly trouble?: (call: WireCall) => Trouble | null | undefined;
}

/** A cloud in memory that behaves as AWS does (docs/reference/aws-behaviour.md) and records every call. For one process. */
export interface MemoryCloud extends Cloud {
  readonly holdings: Map<AccountId, Holding>;
  readonly calls: WireCall[];
  /** Only the mutating calls. */
  readonly changes: readonly WireCall[];
  /** A change by someone else, from within the account. */
  set(accountId: AccountId, what: Partial<Record<EnrollmentId, Partial<Observed>>>): void;
}

/** `list` with the pages of one kind replaced. */
export function listing(
  cloud: Cloud,
  kind: EnrollmentId,
  fetch: (token: string | null) => ReturnType<Cloud['list']>,
): Cloud['list'] {
  return (asked, token) => (asked === kind ? fetch(token) : cloud.list(asked, token));
}

export function cloudError(kind: CloudErrorKind, code: string, ambiguous = false): CloudError {
  const facts = { kind, code, service: 'test', operation: 'test', accountId: null, requestId: 'request-1', ambiguous };
  return new CloudError(`${code} on purpose`, facts);
}

/** The OUs on the paths of the accounts. The id of an OU is made of its path. */
function unitsOf(accounts: readonly OrganizationAccount[]): OrganizationalUnit[] {
  const paths = new Set(['/']);
  for (const { ou } of accounts) {
    const steps = ou.split('/').filter((step) => step !== '');
    for (const n of steps.keys()) paths.add(`/${steps.slice(0, n + 1).join('/')}`);
  }
  const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
  return [...paths].map((path) => ({ id: unitId(path), parentId: path === '/' ? null : unitId(parentOf(path)), path }));
}

const unitId = (path: string): string => (path === '/' ? 'r-root' : `ou-${path.slice(1).replaceAll('/', '-')}`);

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
  'PutOrganizationEnrollmentConfiguration',
  'DeleteOrganizationEnrollmentConfiguration',
]);

const readOperationOf = (kind: EnrollmentId): string => KINDS.find(({ id }) => id === kind)?.readOperation ?? '';

class World {
  readonly holdings = new Map<AccountId, Holding>();
  readonly calls: WireCall[] = [];
  readonly #options: MemoryCloudOptions;
  readonly #landing = new Map<Observed, { readonly at: number; readonly target: TargetStatus }>();
  readonly #tokens = new Map<string, unknown>();

  constructor(options: MemoryCloudOptions) {
    this.#options = options;
    for (const { id } of options.accounts) {
      this.holdings.set(
        id,
        byKind((kind) => (kindOf(kind).hasRuleMode ? { ...INACTIVE, ruleMode: 'NoneAllowed' } : INACTIVE)),
      );
    }
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** One call: fault, effect, answer. A repeated client token repeats its answer without an effect. */
  async make<T>(call: WireCall, effect: (refused: readonly AccountId[]) => T): Promise<T> {
    this.calls.push(call);
    const trouble = this.#options.trouble?.(call) ?? {};
    await trouble.wait;
    if (trouble.before !== undefined) throw trouble.before;
    const known = call.clientToken === null ? undefined : this.#tokens.get(call.clientToken);
    // The map has the answers of this operation by token.
    const answer = known === undefined ? effect(trouble.refused ?? []) : (known as T);
    if (call.clientToken !== null) this.#tokens.set(call.clientToken, answer);
    if (trouble.after !== undefined) throw trouble.after;
    return answer;
  }

  holding(accountId: AccountId): Holding {
    const holding = this.holdings.get(accountId);
    if (holding === undefined) throw cloudError('Denied', 'AccessDenied');
    for (const name of ENROLLMENT_IDS) {
      const landing = this.#landing.get(holding[name]);
      if (landing === undefined || landing.at > this.now()) continue;
      holding[name] = { ...holding[name], status: landing.target, lastUpdated: landing.at };
    }
    return holding;
  }

  move(accountId: AccountId, name: EnrollmentId, target: TargetStatus): Observed {
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

  /** A configuration enables Automation with either rule mode. */
  configure(accountId: AccountId, ruleMode: RuleMode): void {
    const { computeOptimizer, automation } = this.holding(accountId);
    if (computeOptimizer.status === 'Active' && automation.status !== 'Active') {
      this.move(accountId, 'automation', 'Active');
    }
    const holding = this.holding(accountId);
    holding.automation = { ...holding.automation, ruleMode };
  }

  /** Changes one account like AWS. */
  apply({ kind, action, status }: ChangeRequest, accountId: AccountId): void {
    if (action === 'AssociateAccounts') this.associate(accountId, 'AnyAllowed');
    else if (action === 'DisassociateAccounts') this.associate(accountId, 'NoneAllowed');
    else if (kind !== 'automation') this.move(accountId, kind, status);
    else if (status === 'Active') this.enable(accountId);
    else this.disable(accountId);
  }

  enable(accountId: AccountId): void {
    const { computeOptimizer, automation } = this.holding(accountId);
    if (computeOptimizer.status !== 'Active') throw cloudError('Prerequisite', 'OptInRequiredException');
    const { status, lastUpdated } = automation;
    if (status === 'Inactive' && lastUpdated !== null && this.now() - lastUpdated < DAY) {
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
  const listed = (kind: EnrollmentId): Page<ListedEnrollment> => ({
    items: members.flatMap(({ id, state }) => {
      const holding = state === 'ACTIVE' ? world.holding(id) : null;
      if (holding === null) return [];
      if (kind === 'automation' && holding.computeOptimizer.status !== 'Active') return [];
      return [{ accountId: id, observed: holding[kind] }];
    }),
    nextToken: null,
  });
  /** The accounts that a change concerns. */
  const affected = ({ kind, target, status }: ChangeRequest): readonly AccountId[] => {
    if (target.scope === 'account') return [target.accountId];
    if (target.scope === 'batch') return target.accountIds;
    return members.map(({ id }) => id).filter((id) => world.holding(id)[kind].status !== status);
  };
  const prepareChange = async (request: ChangeRequest): Promise<SendChange> => {
    const { action: operation, target, clientToken } = request;
    const accountIds = affected(request);
    const status = target.scope === 'batch' ? null : request.status;
    const effect = (left: readonly AccountId[]): ChangeResult => {
      const refused = new Map(accountIds.filter((id) => left.includes(id)).map((id) => [id, `${id}: not now`]));
      for (const id of accountIds) if (!refused.has(id)) world.apply(request, id);
      if (target.scope === 'organization') world.apply(request, caller.accountId);
      const message = target.scope === 'account' ? world.holding(target.accountId)[request.kind].statusReason : null;
      return { requestId: 'request-1', message, refused };
    };
    return () => world.make({ operation, accountIds, status, clientToken }, effect);
  };
  return {
    holdings: world.holdings,
    calls: world.calls,
    get changes() {
      return world.calls.filter(({ operation }) => MUTATING.has(operation));
    },
    set(accountId, what) {
      const holding = world.holding(accountId);
      for (const kind of ENROLLMENT_IDS)
        if (what[kind] !== undefined) holding[kind] = { ...holding[kind], ...what[kind] };
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
    readTags: (id) =>
      world.make(read('ListTagsForResource', [id]), () => {
        const live = options.liveTags?.get(id);
        return live === undefined ? (accounts.find((each) => each.id === id)?.tags ?? null) : live;
      }),
    trustedAccess: () => world.make(read('ListAWSServiceAccessForOrganization'), () => options.trustedAccess ?? true),
    list: (kind) => world.make(read(`list ${kind}`), () => listed(kind)),
    read: (kind, id) => world.make(read(readOperationOf(kind), [id]), () => world.holding(id)[kind]),
    prepareChange,
    configurations: memoryConfigurations(world),
    async readUnits({ once = (_key, call) => call() }) {
      await once('ListRoots', () => world.make(read('ListRoots'), () => ({})));
      return unitsOf(accounts);
    },
  };
}
