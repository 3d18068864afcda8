import type { RunningApi } from '../api/start-api.ts';
import type { CliContext } from '../context.ts';
import { type Served, serveUntilStopped } from '../serving.ts';
import type { LoadedPolicy } from '../session.ts';
import type { Story } from './story.ts';

export interface Playing {
  readonly story: Story;
  readonly loaded: LoadedPolicy;
  readonly api: Pick<RunningApi, 'feed' | 'use'> | null;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Serves as `rollcall serve` does, while the story plays, until `stop` aborts. */
export function playStory(context: CliContext, { story, loaded, api, say, stop }: Playing): Promise<Served> {
  return serveUntilStopped(context, {
    loaded,
    api,
    say,
    stop,
    detail: (text) => context.logger.debug(text),
    onProgress: story.worked,
    onScan: story.scanned,
    beside: (app, inForce, end) => story.play(app, inForce, end),
  });
}
