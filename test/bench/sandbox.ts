import * as z from 'zod';

export interface SandboxOptions {
  readonly scenario?: string;
  readonly accounts?: number;
  /** OUs, not counting the root. */
  readonly ous?: number;
  readonly drift?: number;
  readonly latencyMs?: number;
  /** Calls per second for each account and operation. */
  readonly rate?: number;
  /** Changes per second in the whole organization. */
  readonly orgRate?: number;
  readonly seed?: number;
  /** How long a change of a configuration of an OU or the root takes, ms. */
  readonly configurationDelayMs?: number;
}

export const sandboxInfo = z.object({
  endpoint: z.string(),
  managementAccountId: z.string(),
  delegatedAdministratorId: z.string(),
  accounts: z.number(),
});

const callCounts = z.object({
  calls: z.array(
    z.object({
      service: z.string(),
      operation: z.string(),
      accountId: z.string(),
      count: z.number(),
      throttled: z.number(),
      failed: z.number(),
    }),
  ),
});

const truths = z.object({
  accounts: z.array(
    z.object({
      accountId: z.string(),
      ou: z.string(),
      state: z.string(),
      management: z.boolean(),
      computeOptimizer: z.object({ status: z.string() }),
      automation: z.object({ status: z.string(), organizationRuleMode: z.string().nullable() }),
    }),
  ),
});
type Truth = z.infer<typeof truths>['accounts'][number];

/** Calls of one operation, over all callers. */
export interface Count {
  readonly count: number;
  readonly throttled: number;
  readonly failed: number;
}

const MUTATING: ReadonlySet<string> = new Set([
  'UpdateEnrollmentStatus',
  'UpdateEnrollmentConfiguration',
  'AssociateAccounts',
  'DisassociateAccounts',
  'PutOrganizationEnrollmentConfiguration',
  'DeleteOrganizationEnrollmentConfiguration',
]);

export interface Sandbox {
  readonly endpoint: string;
  readonly managementAccountId: string;
  /** The environment that makes the AWS SDK use it as the management account. */
  readonly environment: Readonly<Record<string, string>>;
  /** The real state of all accounts, or of one. */
  accounts(accountId?: string): Promise<readonly Truth[]>;
  /** By operation. */
  calls(): Promise<ReadonlyMap<string, Count>>;
  /** Calls of one operation of one service: two services have a `ListAccounts`. */
  callsTo(service: string, operation: string): Promise<number>;
  /** Mutating calls that were not throttled, by the account in which they were made. */
  changesOf(): Promise<ReadonlyMap<string, number>>;
  /** All mutating operations together. */
  mutatingCalls(): Promise<Count>;
  /** Someone opts these accounts out. */
  drift(accountIds: readonly string[], enrollment: 'computeOptimizer' | 'automation'): Promise<void>;
  close(): Promise<void>;
}

export function sandboxOver(info: z.infer<typeof sandboxInfo>, close: () => Promise<void>): Sandbox {
  const { endpoint, managementAccountId } = info;
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: managementAccountId,
    AWS_SECRET_ACCESS_KEY: 'of-the-sandbox',
  };
  const ask = async <T>(name: string, schema: z.ZodType<T>, body?: unknown): Promise<T> => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${endpoint}/_sandbox/${name}`, request);
    if (!response.ok) throw new Error(`the sandbox refused ${name}: ${await response.text()}`);
    return schema.parse(await response.json());
  };
  const calls = async (): Promise<ReadonlyMap<string, Count>> => {
    const sums = new Map<string, Count>();
    for (const { operation, count, throttled, failed } of (await ask('calls', callCounts)).calls) {
      const known = sums.get(operation) ?? { count: 0, throttled: 0, failed: 0 };
      sums.set(operation, add(known, { count, throttled, failed }));
    }
    return sums;
  };
  return {
    ...{ endpoint, managementAccountId, environment, close, calls },
    async accounts(accountId) {
      return (await ask(accountId === undefined ? 'accounts' : `accounts?accountId=${accountId}`, truths)).accounts;
    },
    async callsTo(service, operation) {
      const { calls: counts } = await ask('calls', callCounts);
      return counts
        .filter((each) => each.service === service && each.operation === operation)
        .reduce((sum, { count }) => sum + count, 0);
    },
    async changesOf() {
      const sums = new Map<string, number>();
      for (const { operation, accountId, count, throttled } of (await ask('calls', callCounts)).calls) {
        if (MUTATING.has(operation)) sums.set(accountId, (sums.get(accountId) ?? 0) + count - throttled);
      }
      return sums;
    },
    async mutatingCalls() {
      let sum: Count = { count: 0, throttled: 0, failed: 0 };
      for (const [operation, count] of await calls()) if (MUTATING.has(operation)) sum = add(sum, count);
      return sum;
    },
    async drift(accountIds, enrollment) {
      const changes = accountIds.map((accountId) => ({ accountId, enrollment, status: 'Inactive' }));
      await ask('drift', z.unknown(), { changes });
    },
  };
}

/** Both together. */
export function add(a: Count, b: Count): Count {
  return { count: a.count + b.count, throttled: a.throttled + b.throttled, failed: a.failed + b.failed };
}
