import type { Message } from '@aws-sdk/client-sqs';
import { laneOf } from '../../../domain/work-lane.ts';
import type { DeadLetter, DeadLetters } from '../../../ports/queue.ts';
import { readMessage } from '../../../ports/read-message.ts';
import { groupOf } from './lanes.ts';
import { MAX_RECEIVES_BEFORE_REDRIVE } from './queue-check.ts';
import { asciiJson, reasonOf, type SqsQueue } from './queue-client.ts';

export interface DeadLettersOptions {
  /** Duration of a long poll, s. A short poll would ask only some of SQS's servers and miss letters. */
  readonly waitSeconds: number;
  /** SQS's count of dead letters, hidden ones included. It may be a minute old. */
  readonly count: () => Promise<number>;
}

/** How long letters are hidden while they are listed, ms. */
const LOOK_MS = 30_000;
/** How many consecutive answers without a new letter mean that all letters have been received. */
const PATIENCE = 2;
/** How many empty answers are accepted while SQS counts more letters than were received: another reader may have hidden them for a moment. */
const PATIENCE_WITH_OTHERS = 6;

/**
 * The dead letters in the dead-letter queue. SQS can show a message only by delivering it, which hides it from other readers. So a reader receives the
 * letters and then releases them; if it crashes, they reappear after {@link LOOK_MS}. A letter's id is SQS's message id, which does not change.
 */
export function sqsDeadLetters(dlq: SqsQueue, queue: SqsQueue, options: DeadLettersOptions): DeadLetters {
  const { waitSeconds, count } = options;
  /** Receives letters until there are enough or all were received, runs `work`, then releases the letters that it did not remove. */
  const look = async <T>(
    enough: (found: ReadonlyMap<string, Message>) => boolean,
    work: (found: ReadonlyMap<string, Message>) => Promise<{ readonly result: T; readonly gone: ReadonlySet<string> }>,
  ): Promise<T> => {
    const found = new Map<string, Message>();
    let gone: ReadonlySet<string> = new Set();
    try {
      for (let idle = 0, empty = 0; idle < PATIENCE && empty < PATIENCE_WITH_OTHERS && !enough(found); ) {
        const before = found.size;
        const messages = await dlq.receive(10, LOOK_MS, waitSeconds);
        for (const message of messages) found.set(message.MessageId ?? '', message);
        if (messages.length > 0) idle = found.size === before ? idle + 1 : 0;
        else if (found.size >= (await count())) break;
        else empty += 1;
      }
      const done = await work(found);
      gone = done.gone;
      return done.result;
    } finally {
      const left = [...found].flatMap(([id, { ReceiptHandle }]) =>
        gone.has(id) || !ReceiptHandle ? [] : ReceiptHandle,
      );
      await dlq.hide(left, 0);
    }
  };
  const nothingGone: ReadonlySet<string> = new Set();

  return {
    /** Latest first. */
    list: (limit) =>
      look(
        (found) => found.size >= limit,
        async (found) => {
          const letters = [...found.values()].map(toDeadLetter).sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
          return { result: letters.slice(0, limit), gone: nothingGone };
        },
      ),
    show: (id) =>
      look(
        (found) => found.has(id),
        async (found) => {
          const message = found.get(id);
          return { result: message === undefined ? null : toDeadLetter(message), gone: nothingGone };
        },
      ),
    redrive: (ids) => {
      const wanted = new Set(ids);
      const group = groupOf(laneOf(wanted.size));
      if (wanted.size === 0) return Promise.resolve([]);
      return look(
        (found) => [...wanted].every((id) => found.has(id)),
        async (found) => {
          const readable = [...found.values()].flatMap((received) => {
            const { message } = readMessage(received.Body ?? '');
            const { MessageId: id = '', ReceiptHandle: receipt = '' } = received;
            return message !== null && wanted.has(id) ? [{ id, receipt, body: asciiJson(message), ...group }] : [];
          });
          // Sends before it removes, so that no message is lost. A crash in between duplicates messages, which workers tolerate.
          await queue.send(readable);
          await dlq.remove(readable.map(({ receipt }) => receipt));
          const back = readable.map(({ id }) => id);
          return { result: back, gone: new Set(back) };
        },
      );
    },
  };
}

function toDeadLetter(received: Message): DeadLetter {
  const body = received.Body ?? '';
  const { message, error } = readMessage(body);
  // A message that SQS itself moved to this queue has no reason.
  const text = `received ${MAX_RECEIVES_BEFORE_REDRIVE} times or more and never finished`;
  const reason = reasonOf(received) ?? error ?? { code: 'TooManyReceives', message: text, entryId: null };
  return { id: received.MessageId ?? '', message, body, reason, at: Number(received.Attributes?.SentTimestamp ?? 0) };
}
