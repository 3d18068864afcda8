import type { AwsStoreEnv } from '../../config/aws-env.ts';
import type { Environment } from '../../config/config.ts';
import { TABLE_RESERVE_MS } from '../limiter-times.ts';
import type { StoreProfile } from './profile.ts';

/** How long each poll of the queue waits, s. Short, because a daemon finishes its poll before it stops, and a run checks for due accounts between polls. */
const DAEMON_POLL_S = 4;
const RUN_POLL_S = 1;

/** The profile of the store in DynamoDB and SQS. The environment names the table and the queues. */
export function awsStore(env: Environment, limits: { readonly maxClockSkewMs?: number } = {}): StoreProfile {
  const settings = async (): Promise<AwsStoreEnv> => {
    const { readAwsStoreEnv } = await import('../../config/aws-env.ts');
    return readAwsStoreEnv(env);
  };
  return {
    label: `table ${env['ROLLCALL_TABLE'] ?? ''}`,
    earlierCopy: 'an earlier point in time',
    local: false,
    // Each check costs a request, so a daemon checks as often as the deployed tick: once a minute.
    pace: { tickMs: 60_000, dueMs: 60_000 },
    reserveMs: TABLE_RESERVE_MS,
    // DynamoDB's indexes usually follow the table within a second.
    outboxLagMs: 1_000,
    accountsAgeMs: 10_000,
    pollMs: 10_000,
    backup: null,
    eventBus: async () => (await settings()).eventBus,
    async open({ clock, newId, random, daemon = false }) {
      const found = await settings();
      const { openAwsStore } = await import('./open-aws.ts');
      const receiveWaitSeconds = daemon ? DAEMON_POLL_S : RUN_POLL_S;
      return openAwsStore({
        ...limits,
        env: found,
        clock,
        receiveWaitSeconds,
        ...(newId !== undefined && { newId }),
        ...(random !== undefined && { random }),
      });
    },
    upgrade: async () => undefined,
    isMissing: () => false,
    async operator() {
      const { ownArn } = await import('../own-arn.ts');
      return ownArn();
    },
    async doctor(options) {
      const { awsDoctor } = await import('./aws-doctor.ts');
      return awsDoctor(env, options);
    },
  };
}
