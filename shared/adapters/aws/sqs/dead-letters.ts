import type { Message } from '@aws-sdk/client-sqs';
import type { DeadLetter, DeadLetters } from '../../../ports/queue.ts';
import { readMessage } from '../../../ports/read-message.ts';
import { MAX_RECEIVES } from './queue-check.ts';
import { asciiJson, reasonOf, type SqsQueue } from './queue-client.ts';

export interface DeadLettersOptions {
  /** How long an empty answer is waited for, s: only a long poll asks all of SQS's servers. */
  readonly waitSeconds: number;
  /** How many letters there are, those among them that somebody is looking at: SQS's own count, which may be a minute old. */
  readonly count: () => Promise<number>;
}

/** How long letters are hidden while somebody looks through them, ms. */
const LOOK_MS = 30_000;
/** Answers without anything new in a row after which there is nothing new. */
const PATIENCE = 2;
/** Empty answers that are borne while there ought to be more letters: whoever looks at them just now gives them back in a moment. */
const PATIENCE_WITH_OTHERS = 6;

/**
 * The dead letters, in the dead-letter queue itself. SQS knows no other way to look at a message than to receive it: whoever lists hides
 * the letters for as long as that takes (half a minute at most, if he dies) and gives them back at once; whoever looks meanwhile waits a
 * few seconds for them, and then sees what there is. An id is SQS's message id, which stays the same from look to look.
 */
export function sqsDeadLetters(dlq: SqsQueue, queue: SqsQueue, options: DeadLettersOptions): DeadLetters {
  const { waitSeconds, count } = options;
  /** Receives letters until `enough` says so or all were seen, then does `work`, then gives back those that it leaves. */
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
    /** The latest first, among those that were found. */
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
          // On the queue before off the dead letters: a crash in between leaves both, and work may come twice.
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
  // What SQS itself has moved there carries no reason of ours.
  const text = `received ${MAX_RECEIVES} times or more and never finished`;
  const reason = reasonOf(received) ?? error ?? { code: 'TooManyReceives', message: text, entryId: null };
  return { id: received.MessageId ?? '', message, body, reason, at: Number(received.Attributes?.SentTimestamp ?? 0) };
}
