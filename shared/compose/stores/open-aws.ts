import { type AwsStores, openAwsStores } from '../../adapters/aws/store.ts';
import { systemMonotonic } from '../../adapters/system/clock.ts';
import { makeNewId } from '../../adapters/system/ids.ts';
import { systemRandom } from '../../adapters/system/random.ts';
import type { AwsStoreEnv } from '../../config/aws-env.ts';
import type { Network } from '../../domain/network.ts';
import type { Clock, NewId, Random } from '../../ports/system.ts';
import { ownNetwork } from '../network.ts';

export interface AwsStoreOptions {
  readonly env: AwsStoreEnv;
  readonly clock: Clock;
  readonly newId?: NewId;
  readonly random?: Random;
  /** Default: this process's settings. */
  readonly network?: Network;
  /** How long each poll of the work queue waits, s; default 0. */
  readonly receiveWaitSeconds?: number;
  /** Maximum difference between this machine's clock and AWS's, ms. Default 30 s, half of what a lease and a claim last. */
  readonly maxClockSkewMs?: number;
}

/** For a process outside Lambda: checks table and queues before their first use. */
export function openAwsStore(options: AwsStoreOptions): Promise<AwsStores> {
  const { env, clock, newId = makeNewId(clock), random = systemRandom, network = ownNetwork() } = options;
  const { receiveWaitSeconds = 0, maxClockSkewMs = 30_000 } = options;
  const { table, queueUrl, dlqUrl } = env;
  return openAwsStores({
    table,
    queueUrl,
    dlqUrl,
    network,
    clock,
    newId,
    random,
    receiveWaitSeconds,
    maxClockSkewMs,
    monotonic: systemMonotonic,
    ...sqsSettings(env),
  });
}

/** An endpoint that is set for SQS takes precedence over the host in a queue's URL. */
export function sqsSettings({ sqsEndpoint }: Pick<AwsStoreEnv, 'sqsEndpoint'>) {
  return sqsEndpoint === null ? {} : { sqs: { endpoint: sqsEndpoint } };
}
