import { createAwsCloud } from '../adapters/aws/cloud/cloud.ts';
import { createAwsInspection } from '../adapters/aws/cloud/inspection.ts';
import { inspectAws } from '../adapters/aws/doctor.ts';
import { hostTime } from '../adapters/embedded/host-time.ts';
import { memoryRegisters } from '../adapters/embedded/memory-registers.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { ArchiveFacts, CheckpointChecksInput } from '../app/doctor/checkpoint-checks.ts';
import { doctorChecks } from '../app/doctor/checks.ts';
import { examine, type Finding } from '../app/doctor/run-checks.ts';
import { busOf } from '../app/notifications/outbox-state.ts';
import { createLimiter } from '../app/rate-limiter/rate-limiter.ts';
import { createRetrying } from '../app/support/retry.ts';
import type { Environment } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DoctorEnv } from '../config/doctor-env.ts';
import { FileError } from '../config/file-error.ts';
import { type CheckResult, fail, pass } from '../domain/check-result.ts';
import { ENROLLMENT_IDS, FIRST_KIND } from '../domain/enrollment/kinds/index.ts';
import { DIRECT, type Network, shownProxy } from '../domain/network.ts';
import { type CompiledPolicy, callCeiling, DEFAULT_LIMITS, manages } from '../domain/policy/index.ts';
import type { Clock, Logger } from '../ports/system.ts';
import { ownMaxAccounts } from './bounds.ts';
import { type OpenCheckpointing, openCheckpointing } from './checkpoints.ts';
import { ownNetwork } from './network.ts';
import type { StoreProfile } from './stores/profile.ts';

export interface DoctorOptions {
  readonly store: StoreProfile;
  readonly env: DoctorEnv;
  /** The process's environment, which names what checkpoints need. */
  readonly checkpointEnv: Environment;
  /** The policy; `null`: it is missing or invalid, and the defaults apply. */
  readonly policy: CompiledPolicy | null;
  /** The finding about the policy file itself. */
  readonly policyResult: CheckResult;
  readonly sample: number;
  /** The path of infra/member-role.yml on this machine, for the commands that fix a finding. */
  readonly memberRoleTemplate: string;
  /** Time limit of each check, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long throttled and failed calls are retried, ms: an unreachable endpoint is reported within seconds. */
const RETRY_MS = 3_000;
const TIMEOUTS = { connectMs: 2_000, requestMs: 8_000 };
const DEFAULT_ROLE = 'RollcallMember';

/**
 * Checks everything that Rollcall needs, read-only: no mutating call, no entry, and no change on the disk (invariant 6). The rate limiter keeps its
 * state in memory, so the checks take nothing from the workers' shared budget.
 * @returns one finding per check; a failed check is a finding, not an exception.
 */
export async function examineSetup(options: DoctorOptions): Promise<readonly Finding[]> {
  const { policy, clock, logger, env, sample } = options;
  const ceiling = callCeiling(policy?.policy.limits ?? DEFAULT_LIMITS);
  const monotonic = systemMonotonic;
  const storeTime = hostTime(clock, monotonic);
  const gate = createLimiter({ registers: memoryRegisters(), clock, monotonic, storeTime, ceiling, reserveMs: 100 });
  const { memberRole, externalId } = policy?.policy.organization ?? { memberRole: DEFAULT_ROLE, externalId: null };
  const { network, result: networkResult } = lookAtNetwork();
  const cloud = createAwsCloud({ gate, clock, memberRole, externalId, logger, timeouts: TIMEOUTS, network });
  const inspection = createAwsInspection({ gate, logger, timeouts: TIMEOUTS, network, maxAccounts: ownMaxAccounts() });
  const store = await options.store.doctor({ clock, network });
  const bus = busOf(policy, store.eventBus);
  const aws = inspectAws({ table: null, queueUrl: null, dlqUrl: null, bus, network, monotonic });
  const checkpoints = await lookAtCheckpoints(options.checkpointEnv, { clock, network });
  const retrying = createRetrying(clock, systemRandom, RETRY_MS);
  const needed = ENROLLMENT_IDS.filter((id) => id === FIRST_KIND.id || policy === null || manages(policy.policy, id));
  try {
    const checks = doctorChecks({
      inspection,
      cloud,
      retrying,
      needed,
      memberRole,
      externalId,
      policy,
      sample,
      store,
      clock,
      bus,
      memberRoleTemplate: options.memberRoleTemplate,
      profile: env.profile,
      endpointVariable: env.endpointVariable,
      policyResult: options.policyResult,
      networkResult,
      checkBus: () => aws.bus(),
      ...checkpoints.input,
      random: systemRandom,
      snapshot: store.snapshot,
      callsPerSecond: ceiling,
    });
    return await examine(checks, { clock, timeoutMs: options.timeoutMs });
  } finally {
    cloud.close();
    inspection.close();
    aws.close();
    checkpoints.close();
    store.close();
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

interface CheckpointParts {
  readonly input: CheckpointChecksInput;
  close(): void;
}

/** Invalid settings are a finding here too. */
async function lookAtCheckpoints(
  env: Environment,
  { clock, network }: { readonly clock: Clock; readonly network: Network },
): Promise<CheckpointParts> {
  try {
    const { signer, archive, close } = await openCheckpointing(env, { clock, random: systemRandom, network });
    const lookAtArchive = archive === null ? null : () => archiveFacts(archive);
    return { input: { signer, lookAtArchive, wrongEnvironment: null }, close };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const wrongEnvironment = fail('wrong', error.message);
    return { input: { signer: null, lookAtArchive: null, wrongEnvironment }, close: () => undefined };
  }
}

/** No checkpoint has this origin; searching for it tests the permission to list. */
const NO_ORIGIN = 'rollcall-doctor';

async function archiveFacts(archive: NonNullable<OpenCheckpointing['archive']>): Promise<ArchiveFacts> {
  const { mode, days } = await archive.protection();
  await archive.newest(NO_ORIGIN);
  return { label: archive.label, days, removable: mode === 'GOVERNANCE' };
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
