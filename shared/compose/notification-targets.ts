import { openEventBridge } from '../adapters/aws/eventbridge/bus.ts';
import { httpWebhook } from '../adapters/system/webhook.ts';
import { busOf } from '../app/notifications/outbox-state.ts';
import { type AlertDeps, Alerts } from '../app/notifications/webhook-alerts.ts';
import type { MaintenanceSource } from '../app/runtime/maintenance.ts';
import type { Environment } from '../config/config.ts';
import { environment } from '../config/environment.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import { openCheckpointing } from './checkpoints.ts';
import { ownNetwork } from './network.ts';
import type { Runtime } from './runtime.ts';
import type { StoreProfile } from './stores/profile.ts';

/** The policy's webhook; `null`: the policy has none, or this process does not send. */
export function alertsOf({ policy }: CompiledPolicy, deps: AlertDeps): Alerts | null {
  const webhook = policy.notify?.webhook ?? null;
  if (webhook === null) return null;
  const { url, secret, events } = webhook;
  if (url === null) return null;
  return new Alerts(deps, httpWebhook({ url, secret, clock: deps.clock, network: ownNetwork() }), events);
}

/**
 * What the maintenance tasks need in a process that is not a Lambda function. They publish entries, send alerts, record dead letters and sign checkpoints.
 */
export interface ProcessMaintenance extends MaintenanceSource {
  /** Whether entries of the audit log are published at all. */
  readonly publishes: boolean;
  close(): void;
}

/**
 * Uses the policy's event bus and webhook. If the policy names no bus, uses that of the store's deployment.
 * @param env names what checkpoints are signed with; default: this process's environment
 * @throws ConfigError
 */
export async function openMaintenance(
  { deps, store }: Pick<Runtime, 'deps' | 'store'>,
  policy: CompiledPolicy,
  { eventBus, outboxLagMs }: Pick<StoreProfile, 'eventBus' | 'outboxLagMs'>,
  env: Environment = environment(),
): Promise<ProcessMaintenance> {
  const name = busOf(policy, await eventBus());
  const { clock, random } = deps;
  const checkpointing = await openCheckpointing(env, { clock, random });
  const bus = name === null ? null : openEventBridge({ bus: name, clock, random, network: ownNetwork() });
  const alerts = alertsOf(policy, deps);
  return {
    deps,
    deadLetters: store.deadLetters,
    outboxLagMs,
    publishes: bus !== null,
    policy: async () => policy,
    bus: async () => bus,
    alerts: async () => alerts,
    checkpointing: async () => checkpointing,
    close: () => {
      checkpointing.close();
      bus?.close();
    },
  };
}
