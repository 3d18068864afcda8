import { openEventBridge } from '../adapters/aws/eventbridge/bus.ts';
import { httpWebhook } from '../adapters/system/webhook.ts';
import { busOf } from '../app/notifications/outbox-state.ts';
import { type AlertDeps, Alerts } from '../app/notifications/webhook-alerts.ts';
import type { MaintenanceSource } from '../app/runtime/maintenance.ts';
import type { AwsStoreEnv } from '../config/aws-env.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import { ownNetwork } from './network.ts';
import type { App } from './process-runtime.ts';

/** The policy's webhook; `null`: the policy has none, or this process does not send. */
export function alertsOf({ policy }: CompiledPolicy, deps: AlertDeps): Alerts | null {
  const webhook = policy.notify?.webhook ?? null;
  if (webhook === null) return null;
  const { url, secret, events } = webhook;
  if (url === null) return null;
  return new Alerts(deps, httpWebhook({ url, secret, clock: deps.clock, network: ownNetwork() }), events);
}

/** DynamoDB's indexes follow the table within a second, as a rule. */
const INDEX_LAG_MS = 1_000;

/** What the maintenance tasks of a process work on, for a process that is not a Lambda. */
export interface ProcessMaintenance extends MaintenanceSource {
  /** Whether entries of the audit log are published at all. */
  readonly publishes: boolean;
  close(): void;
}

/**
 * Event bus and webhook are those of the policy, else those of the deployment whose store the process uses (`aws`). Opens no connection by itself.
 */
export function openMaintenance(
  { deps, store }: Pick<App, 'deps' | 'store'>,
  policy: CompiledPolicy,
  aws: Pick<AwsStoreEnv, 'eventBus'> | null,
): ProcessMaintenance {
  const name = busOf(policy, aws?.eventBus ?? null);
  const { clock, random } = deps;
  const bus = name === null ? null : openEventBridge({ bus: name, clock, random, network: ownNetwork() });
  const alerts = alertsOf(policy, deps);
  return {
    ...{ deps, deadLetters: store.deadLetters, outboxLagMs: aws === null ? 0 : INDEX_LAG_MS, publishes: bus !== null },
    policy: async () => policy,
    bus: async () => bus,
    alerts: async () => alerts,
    close: () => bus?.close(),
  };
}
