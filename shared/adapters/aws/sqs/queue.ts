import { GetQueueAttributesCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { mapParallel } from '../../../domain/map-parallel.ts';
import { type WorkMessage, workMessageSchema } from '../../../domain/work-message.ts';
import { type Delivery, MAX_DELAY_MS, type WorkQueue } from '../../../ports/queue.ts';
import { readMessage } from '../../../ports/read-message.ts';
import type { Clock } from '../../../ports/system.ts';
import { IncompleteAnswerError } from '../complete-answers.ts';
import { storeError } from '../store-errors.ts';
import type { StoreRetry } from '../store-retry.ts';
import { groupOf, laneOfGroup } from './lanes.ts';
import { MAX_MESSAGE_BYTES } from './queue-check.ts';
import { asciiJson, bytesOf, type Outgoing, reasonAttributes, type SqsQueue } from './queue-client.ts';

export interface QueueOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** How long `receive` may wait for the first message, s (0 to 20; the port promises 0). */
  readonly waitSeconds: number;
}

/** How long a message is hidden while it is moved to the dead-letter queue, ms. */
const MOVE_MS = 60_000;

/**
 * The work queue on SQS, with its lanes as message groups (lanes.ts). Times are rounded up to whole seconds; `depth` lags by up to a minute. Two promises of the port need more than SQS offers:
 * - A receipt is valid only until its visibility timeout ends. SQS accepts it longer, so the end of each receipt is recorded here.
 * - No dead letter is lost: it is sent before the message is deleted. A crash in between leaves both, and the next receiver decides again.
 */
export function sqsQueue(queue: SqsQueue, dlq: SqsQueue, counts: QueueCounts, options: QueueOptions): WorkQueue {
  const { clock, waitSeconds } = options;
  const ends = new ReceiptEnds(clock);

  const bury = async (message: Message, outgoing: Outgoing): Promise<void> => {
    await dlq.send([outgoing]);
    await queue.remove([message.ReceiptHandle ?? '']);
  };
  /** Turns readable messages into deliveries and moves the others to the dead letters. */
  const open = async (messages: readonly Message[], visibilityMs: number): Promise<readonly Delivery[]> => {
    const deliveries: Delivery[] = [];
    await mapParallel(messages, Number.POSITIVE_INFINITY, async (received) => {
      const body = received.Body ?? '';
      const { message, error } = readMessage(body);
      if (message === null) return bury(received, { body, attributes: reasonAttributes(error) });
      const receipt = received.ReceiptHandle ?? '';
      ends.set(receipt, visibilityMs);
      const { ApproximateReceiveCount = 1, SentTimestamp = clock.now(), MessageGroupId } = received.Attributes ?? {};
      const [receives, sentAt] = [Number(ApproximateReceiveCount), Number(SentTimestamp)];
      deliveries.push({ message, receipt, receives, sentAt, lane: laneOfGroup(MessageGroupId) });
    });
    return deliveries;
  };

  const send: WorkQueue['send'] = async (messages, { lane = 'urgent', delayMs = 0 } = {}) => {
    const outgoing = messages.map((message) => ({
      ...encode(workMessageSchema.parse(message), queue.resource),
      ...groupOf(lane),
    }));
    await queue.send(outgoing, Math.min(delayMs, MAX_DELAY_MS));
  };

  return {
    send,
    async receive(max, visibilityMs, lane) {
      // SQS cannot select messages, and one that is returned unread still counts as received.
      if (lane !== undefined) return [];
      const deliveries: Delivery[] = [];
      while (deliveries.length < max) {
        const wanted = max - deliveries.length;
        const messages = await queue.receive(wanted, visibilityMs, deliveries.length > 0 ? 0 : waitSeconds);
        const readable = await open(messages, visibilityMs);
        deliveries.push(...readable);
        // SQS returned fewer messages than requested, so hardly any are left.
        if (messages.length === 0 || (readable.length === messages.length && messages.length < Math.min(10, wanted)))
          break;
      }
      return deliveries;
    },
    async extend({ receipt }, visibilityMs) {
      if (!ends.isValid(receipt)) return;
      const valid = await queue.hide([receipt], visibilityMs);
      if (valid.has(receipt)) ends.set(receipt, visibilityMs);
    },
    async acknowledge(deliveries) {
      const receipts = deliveries.map(({ receipt }) => receipt).filter((receipt) => ends.isValid(receipt));
      await queue.remove(receipts);
      for (const receipt of receipts) ends.forget(receipt);
    },
    async release({ receipt }, delayMs) {
      if (!ends.isValid(receipt)) return;
      await queue.hide([receipt], delayMs);
      ends.finish(receipt);
    },
    async putBack({ message, receipt, lane }, delayMs) {
      // SQS cannot reset the receive count of a message, so a copy is sent. The original is hidden first, so that no other receiver gets it meanwhile.
      if (!ends.isValid(receipt) || !(await queue.hide([receipt], MOVE_MS)).has(receipt)) return;
      await send([message], { lane, delayMs });
      await queue.remove([receipt]);
      ends.finish(receipt);
    },
    async deadLetter({ message, receipt }, reason) {
      // Hides the message from other receivers while it is moved. If another one has received it, that receiver decides.
      if (!ends.isValid(receipt) || !(await queue.hide([receipt], MOVE_MS)).has(receipt)) return;
      await dlq.send([{ body: asciiJson(message), attributes: reasonAttributes(reason) }]);
      await queue.remove([receipt]);
      ends.finish(receipt);
    },
    async depth() {
      const [work, dead] = await Promise.all([counts.queue(), counts.dlq()]);
      return { visible: work.visible, inFlight: work.hidden, dead: dead.visible + dead.hidden };
    },
    async pending() {
      const { visible, hidden } = await counts.queue();
      return visible + hidden;
    },
  };
}

/** @throws StoreError `TooLarge` before anything of the call is sent */
function encode(message: WorkMessage, resource: string): Outgoing {
  const outgoing = { body: asciiJson(message) };
  const bytes = bytesOf(outgoing);
  if (bytes <= MAX_MESSAGE_BYTES) return outgoing;
  const found = `a message of kind ${message.kind} has ${bytes} bytes; the maximum is ${MAX_MESSAGE_BYTES}`;
  throw storeError('TooLarge', resource, found, 'Nothing of the call was sent.');
}

/** When each receipt of this process ends, epoch ms. */
class ReceiptEnds {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #ends = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  set(receipt: string, visibilityMs: number): void {
    this.#prune();
    // Inserted again, so that the receipts are roughly ordered by their ends and `#prune` can stop early.
    this.#ends.delete(receipt);
    this.#ends.set(receipt, this.#clock.now() + visibilityMs);
  }

  /** Whether the receipt may be used. A receipt from a Lambda event is unknown here and always valid. */
  isValid(receipt: string): boolean {
    if (receipt === '') return false;
    const end = this.#ends.get(receipt);
    return end === undefined || this.#clock.now() < end;
  }

  /** Ends a receipt whose message was released or moved, so that later calls with it do nothing. */
  finish(receipt: string): void {
    this.#ends.set(receipt, Number.NEGATIVE_INFINITY);
  }

  forget(receipt: string): void {
    this.#ends.delete(receipt);
  }

  /** Removes receipts that ended long ago. */
  #prune(): void {
    const past = this.#clock.now() - FORGET_AFTER_MS;
    for (const [receipt, end] of this.#ends) {
      if (this.#ends.size < 1_000 || end > past) return;
      this.#ends.delete(receipt);
    }
  }
}

const FORGET_AFTER_MS = 3_600_000;

export interface QueueCount {
  readonly visible: number;
  readonly hidden: number;
}

export interface QueueCounts {
  readonly queue: () => Promise<QueueCount>;
  readonly dlq: () => Promise<QueueCount>;
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** SQS's approximate counts of a queue. */
export async function countMessages(client: SQSClient, url: string, retry: StoreRetry): Promise<QueueCount> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...COUNTS] });
  const [visible = 0, notVisible = 0, delayed = 0] = await retry.run(`queue ${url}`, 'GetQueueAttributes', async () => {
    const answer = await client.send(command);
    return COUNTS.map((name) => {
      const count = Number(answer.Attributes?.[name] ?? Number.NaN);
      if (Number.isNaN(count)) throw new IncompleteAnswerError(`Attributes.${name}`, answer);
      return count;
    });
  });
  return { visible, hidden: notVisible + delayed };
}
