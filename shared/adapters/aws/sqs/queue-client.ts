import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { DeadLetterReason } from '../../../ports/queue.ts';
import { chunksOf, packed } from '../../chunks.ts';
import { IncompleteAnswerError } from '../complete-answers.ts';
import { meaningOfCode, storeError } from '../store-errors.ts';
import type { StoreRetry } from '../store-retry.ts';

/** Maximum number of entries in one batch call of SQS. */
const BATCH = 10;
/** The limits of one SendMessageBatch that hold in every partition. */
const SEND_BATCH = { count: BATCH, bytes: 256 * 1024 };
const PARALLEL = 8;
/** The longest visibility timeout of SQS. */
const LONGEST_VISIBILITY_S = 43_200;

export interface Outgoing {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** The message group, which on a standard queue only affects the order of delivery. */
  readonly group?: string;
}

/** Calls to one queue, with retries. All methods throw StoreError. */
export class SqsQueue {
  readonly #client: SQSClient;
  readonly #retry: StoreRetry;
  readonly url: string;
  /** The queue's name in error messages. */
  readonly resource: string;

  constructor(client: SQSClient, url: string, retry: StoreRetry) {
    this.#client = client;
    this.#retry = retry;
    this.url = url;
    this.resource = `queue ${url}`;
  }

  /** Sends all messages. @throws StoreError if a message could not be sent; others may have been sent */
  async send(messages: readonly Outgoing[], delayMs = 0): Promise<void> {
    const delay = delayMs > 0 ? { DelaySeconds: toSeconds(delayMs) } : {};
    const entry = (outgoing: Outgoing, index: number) => ({ ...toEntry(outgoing, index), ...delay });
    await mapParallel(packed(messages, SEND_BATCH, bytesOf), PARALLEL, (batch) =>
      this.#entries('SendMessageBatch', batch.map(entry), (Entries) =>
        this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.url, Entries })),
      ),
    );
  }

  /** One ReceiveMessage, which waits up to `waitSeconds` for the first message. */
  async receive(max: number, visibilityMs: number, waitSeconds: number): Promise<readonly Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: Math.min(BATCH, max),
      // With a visibility timeout of 0, the next call could receive the same message.
      VisibilityTimeout: Math.max(1, toSeconds(visibilityMs)),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All'],
    });
    const { Messages } = await this.#retry.run(this.resource, 'ReceiveMessage', () => this.#client.send(command));
    return Messages ?? [];
  }

  /** Deletes messages. Ignores receipts that are no longer valid. */
  async remove(receipts: readonly string[]): Promise<void> {
    await mapParallel(chunksOf(receipts, BATCH), PARALLEL, (batch) => {
      const entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      return this.#entries(
        'DeleteMessageBatch',
        entries,
        (Entries) => this.#client.send(new DeleteMessageBatchCommand({ QueueUrl: this.url, Entries })),
        ABOUT_RECEIPT,
      );
    });
  }

  /** Hides messages for `ms` from now. @returns the receipts that were still valid */
  async hide(receipts: readonly string[], ms: number): Promise<ReadonlySet<string>> {
    const VisibilityTimeout = toSeconds(ms);
    const valid = await mapParallel(chunksOf(receipts, BATCH), PARALLEL, async (batch) => {
      const entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout }));
      const passedOver = await this.#entries(
        'ChangeMessageVisibilityBatch',
        entries,
        (Entries) => this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.url, Entries })),
        ABOUT_RECEIPT,
      );
      return batch.filter((_, index) => !passedOver.has(String(index)));
    });
    return new Set(valid.flat());
  }

  /** Repeats a batch call for the entries that failed. @returns the ids of entries that failed with a code in `passOver`, which are not repeated */
  async #entries<E extends { Id: string | undefined }>(
    operation: string,
    entries: readonly E[],
    call: (entries: E[]) => Promise<BatchAnswer>,
    passOver: ReadonlySet<string> = NONE,
  ): Promise<ReadonlySet<string>> {
    const passedOver = new Set<string>();
    let open = [...entries];
    for (let attempt = 1; open.length > 0; attempt += 1) {
      const batch = open;
      const { Failed = [] } = await this.#retry.run(this.resource, operation, async () => {
        const answer = await call(batch);
        requireResults(batch, answer);
        return answer;
      });
      const again = new Set<string>();
      for (const { Id = '', Code = 'Unknown', SenderFault, Message } of Failed) {
        if (passOver.has(Code)) passedOver.add(Id);
        else if (isRetryable(Code, SenderFault) && attempt <= this.#retry.maxRetries) again.add(Id);
        else throw this.#refused(operation, Code, SenderFault, Message);
      }
      open = batch.filter(({ Id }) => again.has(Id ?? ''));
      if (open.length > 0) await this.#retry.pause(attempt);
    }
    return passedOver;
  }

  #refused(operation: string, code: string, senderFault: boolean | undefined, message: string | undefined): Error {
    const words = message === undefined ? '' : `: ${message.slice(0, 300)}`;
    const meaning = isRetryable(code, senderFault) ? 'Unavailable' : meaningOfCode(code);
    const remedy = 'Whatever was not acknowledged can be sent again.';
    return storeError(meaning, this.resource, `${operation} refused an entry (${code})${words}`, remedy);
  }
}

/** Checks that every entry has a result, because an entry without one may not have been stored. @throws IncompleteAnswerError */
function requireResults(entries: readonly { readonly Id: string | undefined }[], answer: BatchAnswer): void {
  const named = new Set([...(answer.Successful ?? []), ...(answer.Failed ?? [])].map(({ Id }) => Id));
  const without = entries.find(({ Id }) => !named.has(Id));
  if (without !== undefined) throw new IncompleteAnswerError(`a result for entry ${without.Id}`, answer);
}

interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined;
  readonly Failed?:
    | readonly {
        readonly Id?: string | undefined;
        readonly Code?: string | undefined;
        readonly SenderFault?: boolean | undefined;
        readonly Message?: string | undefined;
      }[]
    | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** SQS's codes for an invalid receipt: the message was deleted, another receiver has it, or it would be hidden for more than 12 hours in total. */
const ABOUT_RECEIPT: ReadonlySet<string> = new Set([
  'InvalidParameterValue',
  'MessageNotInflight',
  'AWS.SimpleQueueService.MessageNotInflight',
  'ReceiptHandleIsInvalid',
  'InvalidReceiptHandle',
  'MissingParameter',
]);

function isRetryable(code: string, senderFault: boolean | undefined): boolean {
  const meaning = meaningOfCode(code);
  return meaning === 'Throttled' || meaning === 'Unavailable' || senderFault === false;
}

/** Whole seconds, as SQS requires. Rounded up, so that a message is never visible too early. */
function toSeconds(ms: number): number {
  return Math.min(LONGEST_VISIBILITY_S, Math.max(0, Math.ceil(ms / 1000)));
}

function toEntry({ body, attributes, group }: Outgoing, index: number): SendMessageBatchRequestEntry {
  const MessageAttributes: Record<string, MessageAttributeValue> = {};
  for (const [name, StringValue] of Object.entries(attributes ?? {})) {
    MessageAttributes[name] = { DataType: 'String', StringValue };
  }
  const ofGroup = group === undefined ? {} : { MessageGroupId: group };
  return { Id: String(index), MessageBody: body, MessageAttributes, ...ofGroup };
}

/** The size of a message as SQS counts it. */
export function bytesOf({ body, attributes }: Outgoing): number {
  const sizes = Object.entries(attributes ?? {}).map(
    ([name, value]) => Buffer.byteLength(name) + 'String'.length + Buffer.byteLength(value),
  );
  return Buffer.byteLength(body) + sizes.reduce((sum, size) => sum + size, 0);
}

/** JSON in ASCII, because SQS refuses most control characters and, in some partitions, characters above U+FFFF. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Maximum lengths of the reason's texts. With 3 bytes per character the reason fits into the space that the queue check reserves (4 KB). */
const MAX_NAME_CHARS = 100;
const MAX_TEXT_CHARS = 1_000;

/** The reason of a dead letter as message attributes. SQS does not allow empty values. */
export function reasonAttributes({ code, message, entryId }: DeadLetterReason): Record<string, string> {
  return {
    ErrorCode: presentable(code, MAX_NAME_CHARS) || 'Unknown',
    ...(message !== '' && { ErrorMessage: presentable(message, MAX_TEXT_CHARS) }),
    ...(entryId !== null && entryId !== '' && { EntryId: presentable(entryId, MAX_NAME_CHARS) }),
  };
}

/** Shortens a text and replaces characters that SQS does not allow in an attribute. */
function presentable(text: string, maxChars: number): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd').slice(0, maxChars);
}

export function reasonOf(message: Message): DeadLetterReason | null {
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue ?? null;
  const code = attribute('ErrorCode');
  if (code === null) return null;
  return { code, message: attribute('ErrorMessage') ?? '', entryId: attribute('EntryId') };
}
