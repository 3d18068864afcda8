import { signal } from '@preact/signals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { askForToken, headers, token } from './api.ts';
import { READ } from './endpoints.ts';
import type { Progress } from './types.ts';

/** Whether the server keeps the page up to date. */
export const connected = signal(false);
/** Progress of the current run; `null` until the server reports it. */
export const progress = signal<Progress | null>(null);
/** Increases after a change, at most every {@link SETTLE_MS}; the data on the page is then read again. */
export const changes = signal(0);
/** Like {@link changes}, but increases at most every {@link SLOW_MS}: for data that costs more to read. */
export const slowChanges = signal(0);

const SETTLE_MS = 1_500;
const SLOW_MS = 10_000;
/** Each interval is up to this share longer. Otherwise all open tabs would send their requests at the same moment, because they get the same events. */
const SPREAD = 0.4;
const RETRY_MS = 3_000;
/** The server sends a message every 15 s, so a connection that is silent for this long is dead. */
const SILENT_MS = 60_000;

/**
 * Calls `then` about `ms` after the first of several calls, and again about every `ms` while calls continue. The last call is always followed by a whole interval,
 * because the server's lists may be nearly that old.
 */
function gathered(ms: number, then: () => void): () => void {
  let waiting = false;
  let again = false;
  const wait = (): void => {
    waiting = true;
    again = false;
    setTimeout(
      () => {
        waiting = false;
        then();
        if (again) wait();
      },
      ms * (1 + SPREAD * Math.random()),
    );
  };
  return () => {
    again = true;
    if (!waiting) wait();
  };
}

const soon = gathered(SETTLE_MS, () => {
  changes.value += 1;
});
const later = gathered(SLOW_MS, () => {
  slowChanges.value += 1;
});

/** Makes the page read its data again after a short delay, during which further changes may arrive. */
function changed(): void {
  soon();
  later();
}

/** After a command on this page: reads the data again immediately. */
export function changedHere(): void {
  changes.value += 1;
  slowChanges.value += 1;
  changed();
}

/** Follows the server's events while the page is open. It uses `fetch`, because `EventSource` cannot send a token. */
export async function keepLive(): Promise<never> {
  let lastId: string | null = null;
  let pauseMs = RETRY_MS;
  const parser = createParser({
    onEvent: (event) => {
      lastId = event.id ?? lastId;
      take(event);
    },
    onRetry: (ms) => {
      pauseMs = ms;
    },
  });
  for (;;) {
    try {
      // A Lambda function ends the stream after the events that exist, and the page requests it again. That counts as connected.
      connected.value = await follow(lastId, (text) => parser.feed(text));
    } catch (error) {
      // The server cannot be reached. The loop tries again, and the requests for data report the error on the page.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      connected.value = false;
    }
    parser.reset();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** @returns whether the server answered with events */
async function follow(lastId: string | null, feed: (text: string) => void): Promise<boolean> {
  const resumed: Record<string, string> = lastId === null ? {} : { 'last-event-id': lastId };
  const sent = token.value;
  const silence = new AbortController();
  const abortIfSilent = (): (() => void) => {
    const timer = setTimeout(() => silence.abort(), SILENT_MS);
    return () => clearTimeout(timer);
  };
  let cancel = abortIfSilent();
  try {
    const sentHeaders = { ...headers(), ...resumed, accept: 'text/event-stream' };
    const response = await fetch(READ.events, { headers: sentHeaders, signal: silence.signal });
    await askForToken(response, sent);
    if (!response.ok || response.body === null) return false;
    connected.value = true;
    if (lastId !== null) changed();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      cancel();
      cancel = abortIfSilent();
      feed(part.value);
    }
    return true;
  } finally {
    cancel();
  }
}

function take({ event, data }: EventSourceMessage): void {
  if (event === 'progress') {
    const next: Progress = JSON.parse(data);
    if (progress.value?.phase !== next.phase) changed();
    progress.value = next;
  } else if (event === 'entry' || event === 'gap') changed();
}
