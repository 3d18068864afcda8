import { createAwsCloud } from '../adapters/aws/cloud/cloud.ts';
import { createAwsInspection } from '../adapters/aws/cloud/inspection.ts';
import { inspectAws } from '../adapters/aws/doctor.ts';
import { lookAtEmbedded } from '../adapters/embedded/doctor.ts';
import { hostTime } from '../adapters/embedded/host-time.ts';
import { memoryRegisters } from '../adapters/embedded/memory-registers.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import { makeNewId } from '../adapters/system/ids.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { organizationOf } from '../app/coordination/organization-binding.ts';
import { clockCheck } from '../app/doctor/clock-check.ts';
import { type CloudFacts, cloudChecks, cloudFacts } from '../app/doctor/cloud-checks.ts';
import { type Check, examine } from '../app/doctor/examine.ts';
import { memberCheck } from '../app/doctor/member-check.ts';
import { outboxResult } from '../app/doctor/outbox-check.ts';
import { busOf, overdueEntries } from '../app/notifications/outbox-state.ts';
import { createLimiter } from '../app/rate-limiter/rate-limiter.ts';
import { createRetrying } from '../app/support/retry.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DoctorEnv } from '../config/doctor-env.ts';
import { FileError } from '../config/file-error.ts';
import { type CheckResult, type Finding, fail, pass, skipped } from '../domain/doctor-checks.ts';
import { DIRECT, type Network, shownProxy } from '../domain/network.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import { StoreError } from '../ports/store-error.ts';
import type { Clock, Logger } from '../ports/system.ts';
import { ownMaxAccounts } from './bounds.ts';
import { type OpenStore, openStore } from './embedded-store.ts';
import { ownNetwork } from './network.ts';

export interface DoctorOptions {
  readonly store: 'embedded' | 'aws';
  readonly dataDir: string;
  readonly env: DoctorEnv;
  /** `null`: there is none, or none that may be used; the defaults are taken. */
  readonly policy: CompiledPolicy | null;
  /** What is said of the policy itself. */
  readonly policyResult: CheckResult;
  readonly sample: number;
  /** The longest that one check may take, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long throttled and broken calls are repeated, ms: an endpoint out of reach is to be told of in seconds. */
const RETRY_MS = 3_000;
const TIMEOUTS = { connectMs: 2_000, requestMs: 8_000 };
const DEFAULT_ROLE = 'RollcallMember';

/**
 * Looks at everything that Rollcall needs, read-only: no mutating call, no entry, and nothing is made or changed on the disk (invariant 6). Pacing
 * is kept in memory, so that a look does not slow the workers' shared budget down.
 * @returns one finding a check; never throws for what it looks at.
 */
export async function examineSetup(options: DoctorOptions): Promise<readonly Finding[]> {
  const { policy, clock, logger, env, sample } = options;
  const ceiling = policy?.policy.limits.callsPerSecond ?? 10;
  const monotonic = systemMonotonic;
  const storeTime = hostTime(clock, monotonic);
  const gate = createLimiter({ registers: memoryRegisters(), clock, monotonic, storeTime, ceiling, reserveMs: 100 });
  const { memberRole, externalId } = policy?.policy.organization ?? { memberRole: DEFAULT_ROLE, externalId: null };
  const { network, result: networkResult } = lookAtNetwork();
  const cloud = createAwsCloud({ gate, clock, memberRole, externalId, logger, timeouts: TIMEOUTS, network });
  const inspection = createAwsInspection({ gate, logger, timeouts: TIMEOUTS, network, maxAccounts: ownMaxAccounts() });
  const bus = busOf(policy, options.store === 'aws' ? env.eventBus : null);
  const { table, queueUrl, dlqUrl, sqsEndpoint } = env;
  const sqs = sqsEndpoint === null ? {} : { sqs: { endpoint: sqsEndpoint } };
  const aws = inspectAws({ table, queueUrl, dlqUrl, bus, network, monotonic, ...sqs });
  const retrying = createRetrying(clock, systemRandom, RETRY_MS);
  const usesAutomation = policy === null || wantsAutomation(policy);
  const shared = {
    inspection,
    cloud,
    retrying,
    usesAutomation,
    profile: env.profile,
    endpointVariable: env.endpointVariable,
  };
  const facts = cloudFacts(shared);
  const member = {
    ...shared,
    random: systemRandom,
    sample,
    snapshot: snapshotOf(options),
    policy,
    callsPerSecond: ceiling,
  };
  try {
    const checks: readonly Check[] = [
      { id: 'policy', needs: [], run: async () => options.policyResult },
      { id: 'network', needs: [], run: async () => networkResult },
      ...cloudChecks(shared, facts),
      memberCheck({ ...member, memberRole, externalId }, facts),
      ...storeChecks(options, aws),
      storeOrganizationCheck(options, network, facts),
      { id: 'bus', needs: bus === null ? [] : ['region'], run: () => aws.bus() },
      outboxCheck(options, network, bus),
    ];
    return await examine(checks, { clock, timeoutMs: options.timeoutMs });
  } finally {
    cloud.close();
    inspection.close();
    aws.close();
  }
}

/** Invalid settings are a finding like any other. The remaining checks then use direct connections. */
function lookAtNetwork(): { readonly network: Network; readonly result: CheckResult } {
  try {
    const network = ownNetwork();
    return { network, result: pass(networkText(network)) };
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof FileError)) throw error;
    return { network: DIRECT, result: fail('wrong', error.message) };
  }
}

function networkText({ proxy, ca, region }: Network): string {
  const through = (url: string | undefined): string => (url === undefined ? 'directly' : `through ${shownProxy(url)}`);
  const except = proxy?.NO_PROXY === undefined ? '' : `, except to ${proxy.NO_PROXY}`;
  const ways = `https ${through(proxy?.HTTPS_PROXY)}, http ${through(proxy?.HTTP_PROXY)}${except}`;
  return [
    proxy === null ? 'connections are direct' : ways,
    ca === null ? [] : 'the certificates of AWS_CA_BUNDLE are trusted',
    region === null ? [] : `AWS_DEFAULT_REGION sets the Region ${region}`,
  ]
    .flat()
    .join('; ');
}

function wantsAutomation({ policy }: CompiledPolicy): boolean {
  const layers = [policy.defaults, ...policy.rules.map(({ sets }) => sets)];
  return layers.some(
    ({ automation, organizationRules }) =>
      (automation ?? 'unmanaged') !== 'unmanaged' || (organizationRules ?? 'unmanaged') !== 'unmanaged',
  );
}

function storeChecks({ store, dataDir, clock }: DoctorOptions, aws: ReturnType<typeof inspectAws>): readonly Check[] {
  const unused = (id: Check['id'], other: string): Check => ({
    id,
    needs: [],
    run: async () => skipped('notUsed', `--store ${other} is not in use`),
  });
  if (store === 'aws') {
    return [
      ...(['dataDirectory', 'database', 'writeAheadLog', 'disk'] as const).map((id) => unused(id, 'embedded')),
      { id: 'table', needs: ['region'], run: () => aws.table() },
      {
        ...{ id: 'clock', needs: ['table'] },
        run: () => clockCheck({ clock, monotonic: systemMonotonic, store: aws.time }),
      },
      { id: 'queue', needs: ['region'], run: () => aws.queue() },
    ];
  }
  const look = lookAtEmbedded(dataDir, { clock, random: systemRandom });
  return [
    { id: 'dataDirectory', needs: [], run: look.dataDirectory },
    { id: 'database', needs: ['dataDirectory'], run: look.database },
    { id: 'writeAheadLog', needs: ['dataDirectory'], run: look.writeAheadLog },
    { id: 'disk', needs: [], run: look.disk },
    unused('table', 'aws'),
    { id: 'clock', needs: [], run: async () => skipped('notUsed', 'all processes of this store share this clock') },
    unused('queue', 'aws'),
  ];
}

/** Checks which organization owns the store. A store that no command has bound yet has no owner. */
function storeOrganizationCheck(options: DoctorOptions, network: Network, cloud: CloudFacts): Check {
  const { store, env } = options;
  const needs: Check['needs'] = store === 'aws' ? ['organization', 'table', 'queue'] : ['organization', 'database'];
  return {
    ...{ id: 'storeOrganization', needs },
    async run() {
      if (store === 'aws' && env.eventBus === null) return skipped('notReached', 'ROLLCALL_EVENT_BUS is not set');
      const { organizationId } = await cloud.organization();
      const opened = await openReadOnly(options, network);
      const owner = await organizationOf(opened).finally(() => opened.close());
      if (owner === null)
        return pass(`the store is not bound to an organization yet; the first run binds it to ${organizationId}`);
      if (owner === organizationId) return pass(`the store belongs to ${owner}`);
      return fail(
        'wrong',
        `the store belongs to organization ${owner}, but the credentials belong to ${organizationId}: every command that reads AWS fails. ` +
          `Use credentials of ${owner}, or keep ${organizationId} in a store of its own: another --data-dir, or another table and queues.`,
      );
    },
  };
}

/** Entries that wait for the event bus, in the store that is in use. */
function outboxCheck(options: DoctorOptions, network: Network, bus: string | null): Check {
  const { store, clock } = options;
  if (bus === null) {
    return { id: 'outbox', needs: [], run: async () => skipped('notUsed', 'no event bus is configured') };
  }
  const needs: Check['needs'] = store === 'aws' ? ['table', 'queue'] : ['database'];
  return {
    ...{ id: 'outbox', needs },
    async run() {
      const opened = await openReadOnly(options, network);
      try {
        return outboxResult(await overdueEntries(opened, clock.now()), bus);
      } finally {
        await opened.close();
      }
    },
  };
}

/** Call it only from checks that depend on the checks of the store. */
async function openReadOnly({ store, dataDir, clock, env }: DoctorOptions, network: Network): Promise<OpenStore> {
  if (store === 'embedded') return openStore({ dataDir, clock, readOnly: true, create: false });
  const { table, queueUrl, dlqUrl, eventBus, sqsEndpoint } = env;
  if (table === null || queueUrl === null || dlqUrl === null || eventBus === null) {
    throw new Error(
      'ROLLCALL_TABLE, ROLLCALL_QUEUE_URL, ROLLCALL_DLQ_URL and ROLLCALL_EVENT_BUS name the store; one of them is not set',
    );
  }
  const { openAwsStore } = await import('./aws-store.ts');
  return openAwsStore({
    env: { table, queueUrl, dlqUrl, eventBus, sqsEndpoint },
    clock,
    newId: makeNewId(clock),
    network,
  });
}

/** The last snapshot of the embedded store, if there is one that can be read. The aws store's is left alone: it may be what is broken. */
function snapshotOf({ store, dataDir, clock }: DoctorOptions): Pick<SnapshotStore, 'load'> | null {
  if (store === 'aws') return null;
  return {
    async load() {
      try {
        const opened = await openStore({ dataDir, clock, readOnly: true, create: false });
        try {
          return await opened.snapshots.load();
        } finally {
          await opened.close();
        }
      } catch (error) {
        // Whatever is wrong with the store is told by the checks of the store.
        if (error instanceof StoreError) return null;
        throw error;
      }
    },
  };
}
