import { type AwsStores, openAwsStores } from '../adapters/aws/store.ts';
import { systemMonotonic } from '../adapters/system/clock.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { AwsStoreEnv } from '../config/aws-env.ts';
import type { Network } from '../domain/network.ts';
import type { Clock, NewId, Random } from '../ports/system.ts';
import { ownNetwork } from './network.ts';

export interface AwsStoreOptions {
  readonly env: AwsStoreEnv;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random?: Random;
  /** Default: as the environment says. */
  readonly network?: Network;
  /** Long poll of the work queue, s; see `AwsStoresOptions.receiveWaitSeconds`. */
  readonly receiveWaitSeconds?: number;
  /** See `AwsStoresOptions`; default 30 s, half of what a lease and a claim last. */
  readonly maxClockSkewMs?: number;
}

/** The aws runtime's stores for who is started by a person or in a container: table and queues are looked at first. */
export function openAwsStore(options: AwsStoreOptions): Promise<AwsStores> {
  const {
    env,
    clock,
    newId,
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

/** An endpoint that is set for SQS holds, whatever host a queue's URL names. */
export function sqsSettings({ sqsEndpoint }: AwsStoreEnv) {
  return sqsEndpoint === null ? {} : { sqs: { endpoint: sqsEndpoint } };
}
