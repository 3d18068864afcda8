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
  /** Long poll of the work queue, s; see `AwsStoresOptions.receiveWaitSeconds`. */
  readonly receiveWaitSeconds?: number;
  /** See `AwsStoresOptions`; default 30 s, half of what a lease and a claim last. */
  readonly maxClockSkewMs?: number;
}

/** For a process outside Lambda: checks table and queues before their first use. */
export function openAwsStore(options: AwsStoreOptions): Promise<AwsStores> {
  const {
    env,
    clock,
    newId = makeNewId(clock),
    random = systemRandom,
    network = ownNetwork(),
    receiveWaitSeconds = 0,
    maxClockSkewMs = 30_000,
  } = options;
  const { table, queueUrl, dlqUrl } = env;
  const places = { table, queueUrl, dlqUrl, network, ...sqsSettings(env) };
  return openAwsStores({
    ...places,
    clock,
    monotonic: systemMonotonic,
    newId,
    random,
    receiveWaitSeconds,
    maxClockSkewMs,
  });
}

/** An endpoint that is set for SQS takes precedence over the host in a queue's URL. */
export function sqsSettings({ sqsEndpoint }: AwsStoreEnv) {
  return sqsEndpoint === null ? {} : { sqs: { endpoint: sqsEndpoint } };
}
