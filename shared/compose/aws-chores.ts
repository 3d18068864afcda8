import { recordDeadLetters } from '../app/dead-letter-entries.ts';
import type { Chore } from '../app/serve.ts';
import type { App } from './app.ts';

/** What the tick function does beside what every daemon does, for a container: records what the queue's redrive policy caught. */
export function awsChores({ deps, store }: Pick<App, 'deps' | 'store'>): readonly Chore[] {
  return [{ name: 'recording dead letters', run: () => recordDeadLetters(deps, store.deadLetters) }];
}
