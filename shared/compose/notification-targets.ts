import { type EventBridgeBus, openEventBridge } from '../adapters/aws/eventbridge/bus.ts';
import { httpWebhook } from '../adapters/system/webhook.ts';
import { type AnnounceDeps, type NotificationTargets, publishFor } from '../app/notifications/notifier.ts';
import { busOf } from '../app/notifications/outbox-state.ts';
import { type AlertDeps, Alerts } from '../app/notifications/webhook-alerts.ts';
import type { Chore } from '../app/runtime/daemon.ts';
import type { AwsStoreEnv } from '../config/aws-env.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import { ownNetwork } from './network.ts';

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

/**
 * Event bus and webhook of a process that is not a function. `aws`: the deployment whose store it uses, if any. Opens no connection by itself.
 */
export function openOutlets(
  policy: CompiledPolicy,
  aws: Pick<AwsStoreEnv, 'eventBus'> | null,
  deps: AlertDeps,
): NotificationTargets & { close(): void } {
  const name = busOf(policy, aws?.eventBus ?? null);
  const { clock, random } = deps;
  const bus: EventBridgeBus | null =
    name === null ? null : openEventBridge({ bus: name, clock, random, network: ownNetwork() });
  const outboxLagMs = aws === null ? 0 : INDEX_LAG_MS;
  return { bus, alerts: alertsOf(policy, deps), outboxLagMs, close: () => bus?.close() };
}

/** The outlets as chores of a daemon: each by itself, so that one that hangs or fails holds up neither the others nor the work. */
export function notificationTasks(deps: AnnounceDeps, { bus, alerts }: NotificationTargets): readonly Chore[] {
  return [
    ...(bus === null ? [] : [{ name: 'publishing', run: () => publishFor(deps, bus) }]),
    ...(alerts === null ? [] : [{ name: 'telling the webhook', run: () => alerts.step() }]),
  ];
}
