import { openEventBridge } from '../adapters/aws/bus.ts';
import { recordDeadLetters } from '../app/dead-letter-entries.ts';
import { oneAtATime } from '../app/one-at-a-time.ts';
import { publishUnpublished } from '../app/publish.ts';
import type { Chore } from '../app/serve.ts';
import type { AwsStoreEnv } from '../config/aws-env.ts';
import type { App } from './app.ts';

/** Publishing is left off after this long, ms, so that a full outbox does not keep a process from ending; the next round goes on. */
const PUBLISH_MS = 10_000;

/** What the tick function does beside asking for scans and queueing, for a container: publishing, and recording what redrive caught. */
export function awsChores(
  { deps, store }: Pick<App, 'deps' | 'store'>,
  { eventBus }: AwsStoreEnv,
  busName: string = eventBus,
): { readonly chores: readonly Chore[]; readonly close: () => void } {
  const { ledger, clock, random, logger } = deps;
  const bus = openEventBridge({ bus: busName, clock, random });
  const publish = () => publishUnpublished({ ledger, bus, clock, logger }, { until: clock.now() + PUBLISH_MS });
  const bury = () => recordDeadLetters(deps, store.deadLetters);
  return {
    chores: [
      { name: 'publishing', run: () => oneAtATime(deps, 'publish', publish) },
      { name: 'recording dead letters', run: () => oneAtATime(deps, 'dead-letters', bury) },
    ],
    close: () => bus.close(),
  };
}
