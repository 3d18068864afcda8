import { recordDeadLetters } from '../app/ledger/dead-letter-entries.ts';
import type { Chore } from '../app/runtime/daemon.ts';
import type { App } from './process-runtime.ts';

/**
 * The task that the tick function has in addition to a daemon's, for a container: recording messages that the queue's redrive policy moved to the
 * dead letters.
 */
export function awsTasks({ deps, store }: Pick<App, 'deps' | 'store'>): readonly Chore[] {
  return [{ name: 'recording dead letters', run: () => recordDeadLetters(deps, store.deadLetters) }];
}
