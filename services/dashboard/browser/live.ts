import { signal } from '@preact/signals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { askForToken, headers, token } from './api.ts';
import { READ } from './endpoints.ts';
import type { Entry, Progress } from './types.ts';

/** Whether what is shown is kept up to date by the server. */
export const connected = signal(false);
/** Where the present run is; `null`: not told yet. */
export const progress = signal<Progress | null>(null);
/** The latest entries since the page was opened, the newest first. */
export const latest = signal<readonly Entry[]>([]);
/** Goes up, at most every {@link SETTLE_MS}, after something has changed: what is shown is read again. */
export const changes = signal(0);
/** The same for what costs more to read, at most every {@link SLOW_MS}. */
export const slowChanges = signal(0);

const SETTLE_MS = 1_500;
const SLOW_MS = 10_000;
const RETRY_MS = 3_000;
/** The server says something every 15 s; a connection that is silent for so long is dead, though nobody has said so. */
const SILENT_MS = 60_000;
const KEPT = 20;

/** At the end of a while after the first of several calls. */
function gathered(ms: number, then: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      then();
    }, ms);
  };
}

const soon = gathered(SETTLE_MS, () => {
  changes.value += 1;
});
const later = gathered(SLOW_MS, () => {
  slowChanges.value += 1;
});

/** Something has changed, here or elsewhere. */
function changed(): void {
  soon();
  later();
}

/** Something was done here: what is shown is read again at once. */
export function changedHere(): void {
  changes.value += 1;
  slowChanges.value += 1;
  changed();
}

/** Follows the server's events as long as the page is open. `fetch` and not `EventSource`, which can send no token. */
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
      // Where functions answer, a stream ends with what there is, and is asked for again: that is as live as it gets there.
      connected.value = await follow(lastId, (text) => parser.feed(text));
    } catch (error) {
      // Not to be reached just now; it is tried again, and what is read meanwhile says so by itself.
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
  const heard = (): (() => void) => {
    const timer = setTimeout(() => silence.abort(), SILENT_MS);
    return () => clearTimeout(timer);
  };
  let calm = heard();
  try {
    const asked = { ...headers(), ...resumed, accept: 'text/event-stream' };
    const response = await fetch(READ.events, { headers: asked, signal: silence.signal });
    await askForToken(response, sent);
    if (!response.ok || response.body === null) return false;
    connected.value = true;
    if (lastId !== null) changed();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      calm();
      calm = heard();
      feed(part.value);
    }
    return true;
  } finally {
    calm();
  }
}

function take({ event, data }: EventSourceMessage): void {
  if (event === 'progress') {
    const told: Progress = JSON.parse(data);
    if (progress.value?.phase !== told.phase) changed();
    progress.value = told;
  } else if (event === 'entry') {
    const entry: Entry = JSON.parse(data);
    latest.value = [entry, ...latest.value].slice(0, KEPT);
    changed();
  } else if (event === 'gap') changed();
}
