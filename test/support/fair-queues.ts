import { buildApp } from 'fauxqs';
import * as z from 'zod';
import { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../../node_modules/fauxqs/dist/sns/snsStore.js';
// Imported by file, because the package does not export the store with the messages.
import { SqsStore } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js';

/** Carries the group of a message, which the emulator drops on a standard queue. */
const CARRIER = 'group-of-the-message';
const sendBatch = z.looseObject({
  Entries: z.array(z.looseObject({ MessageGroupId: z.string().optional(), MessageAttributes: z.unknown() })),
});

/**
 * The emulator's queues with SQS's fair queues: once a message of a group is in flight, and until the group has no more waiting messages, messages of
 * other groups are delivered first [sqs-fair-queues-detailed]. AWS needs a while to detect such a group, and its thresholds are approximate. Groups of
 * the same name in different queues count as one here.
 */
class FairSqsStore extends SqsStore {
  readonly #noisy = new Set<string | undefined>();

  override getQueue(url: string): ReturnType<SqsStore['getQueue']> {
    const queue = super.getQueue(url);
    if (queue === undefined) return queue;
    for (const message of [...queue.messages, ...queue.delayedMessages]) {
      const group = message.messageAttributes[CARRIER]?.StringValue;
      if (group !== undefined) message.messageGroupId = group;
      delete message.messageAttributes[CARRIER];
    }
    const waiting = new Set(queue.messages.map(({ messageGroupId: group }) => group));
    for (const { message } of queue.inflightMessages.values()) this.#noisy.add(message.messageGroupId);
    for (const group of this.#noisy) if (group === undefined || !waiting.has(group)) this.#noisy.delete(group);
    const isNoisy = ({ messageGroupId: group }: { readonly messageGroupId?: string }): number =>
      Number(this.#noisy.has(group));
    queue.messages.sort((a, b) => isNoisy(a) - isNoisy(b));
    return queue;
  }
}

export function buildFairQueues() {
  const sqsStore = new FairSqsStore();
  const app = buildApp({ logger: false, stores: { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() } });
  app.addHook('preHandler', async (request) => {
    const batch = sendBatch.safeParse(request.body);
    if (!batch.success) return;
    const Entries = batch.data.Entries.map((entry) => {
      const { MessageGroupId: group, MessageAttributes: attributes } = entry;
      if (group === undefined) return entry;
      const carried = { [CARRIER]: { DataType: 'String', StringValue: group } };
      return { ...entry, MessageAttributes: { ...Object(attributes), ...carried } };
    });
    request.body = { ...batch.data, Entries };
  });
  return { app, sqsStore };
}
