import type { Message } from '@aws-sdk/client-sqs';
import type { DeadLetter, DeadLetters } from '../../../ports/queue.ts';
import { readMessage } from '../../../ports/read-message.ts';
import { MAX_RECEIVES } from './queue-check.ts';
import { asciiJson, reasonOf, type SqsQueue } from './queue-client.ts';

export interface DeadLettersOptions {
  /** Long poll, s. Only a long poll queries all servers of SQS. */
  readonly waitSeconds: number;
  /** SQS's count of dead letters, including hidden ones. It may be a minute old. */
  readonly count: () => Promise<number>;
}

/** How long letters stay hidden while they are listed, ms. */
const LOOK_MS = 30_000;
/** After this many consecutive answers without a new letter, all letters have been seen. */
const PATIENCE = 2;
/** Like `PATIENCE`, while SQS counts more letters than were received: another reader has hidden them and will release them soon. */
const PATIENCE_WITH_OTHERS = 6;

/**
 * The dead letters in the dead-letter queue. SQS can only show a message by delivering it, so a reader hides the letters while it lists
 * them and then releases them (they reappear after half a minute if the reader dies). Another reader waits a few seconds for them and then
 * lists what is visible. The id of a letter is SQS's message id, which does not change.
 */
export function sqsDeadLetters(dlq: SqsQueue, queue: SqsQueue, options: DeadLettersOptions): DeadLetters {
  const { waitSeconds, count } = options;
  /** Receives letters until `enough` returns true or all were seen, then runs `work`, then releases the letters that it did not remove. */
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
      if (wanted.size === 0) return Promise.resolve([]);
      return look(
        (found) => [...wanted].every((id) => found.has(id)),
        async (found) => {
          const readable = [...found.values()].flatMap((received) => {
            const { message } = readMessage(received.Body ?? '');
            const { MessageId: id = '', ReceiptHandle: receipt = '' } = received;
            return message !== null && wanted.has(id) ? [{ id, receipt, body: asciiJson(message) }] : [];
          });
          // Sent before it is removed: a crash in between leaves both, and messages may be duplicated.
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
  // A message that SQS itself moved here has no reason attributes.
  const text = `received ${MAX_RECEIVES} times or more and never finished`;
  const reason = reasonOf(received) ?? error ?? { code: 'TooManyReceives', message: text, entryId: null };
  return { id: received.MessageId ?? '', message, body, reason, at: Number(received.Attributes?.SentTimestamp ?? 0) };
}
