import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE, referenceTo, wordsOf } from '../../../domain/ledger/bus-event.ts';
import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { Network } from '../../../domain/network.ts';
import type { EventBus, Refusal } from '../../../ports/bus.ts';
import { StoreError } from '../../../ports/store-error.ts';
import type { Clock, Random } from '../../../ports/system.ts';
import { packed } from '../../chunks.ts';
import { clientSettings } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { meaningOfCode } from '../store-errors.ts';
import { createStoreRetry, type StoreRetry } from '../store-retry.ts';

export interface EventBridgeOptions {
  /** `ROLLCALL_EVENT_BUS`, or the policy's `notify.eventBus`: name or ARN. */
  readonly bus: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Overrides of the SDK's own settings. */
  readonly eventBridge?: EventBridgeClientConfig;
}

export interface EventBridgeBus extends EventBus {
  close(): void;
}

/** Maximum size of one PutEvents call. AWS allows 1 MB, but not in every partition nor for every target [CalculatePutEventsEntrySize]. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** The limits of one PutEvents call [API_PutEvents]. */
const BATCH = { count: 10, bytes: MAX_EVENT_BYTES };
const PARALLEL = 4;
/** How many times entries that EventBridge refused are sent again. The next tick tries those that still fail. */
const MAX_REPEATS = 3;

/** Publishes ledger entries to EventBridge. An entry that is too large for an event is replaced by a reference (`EntryReference`). */
export function openEventBridge(options: EventBridgeOptions): EventBridgeBus {
  const client = withCompleteAnswers(
    'events',
    new EventBridgeClient({ ...clientSettings(2_000, 10_000, options.network), ...options.eventBridge }),
  );
  const retry = createStoreRetry(options);
  return {
    async publish(entries) {
      const events = entries.map((entry) => ({ id: entry.id, event: toEvent(entry, options.bus) }));
      const accepted = new Set<string>();
      const refused: Refusal[] = [];
      const publisher = new Publisher(client, retry, options.bus);
      await mapParallel(
        packed(events, BATCH, ({ event }) => bytesOf(event)),
        PARALLEL,
        async (batch) => {
          const failures = await publisher.send(batch);
          refused.push(...failures);
          const failed = new Set(failures.map(({ id }) => id));
          for (const { id } of batch) if (!failed.has(id)) accepted.add(id);
        },
      );
      return { accepted, refused };
    },
    close: () => client.destroy(),
  };
}

interface Event {
  readonly id: string;
  readonly event: PutEventsRequestEntry;
}

class Publisher {
  readonly #client: EventBridgeClient;
  readonly #retry: StoreRetry;
  readonly #resource: string;
  /** The error of an earlier call, such as a missing bus, that every further call would get too. */
  #fatal: StoreError | null = null;

  constructor(client: EventBridgeClient, retry: StoreRetry, bus: string) {
    this.#client = client;
    this.#retry = retry;
    this.#resource = `event bus ${bus}`;
  }

  /** @returns the events that were not accepted, and why */
  async send(batch: readonly Event[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    let open = batch;
    for (let attempt = 1; open.length > 0; attempt += 1) {
      const results = await this.#put(open);
      const again: Event[] = [];
      for (const [index, event] of open.entries()) {
        const failure =
          results instanceof StoreError ? refusal(event.id, results) : entryFailure(event.id, results[index]);
        if (failure === null) continue;
        const passes = ['Throttled', 'Unavailable'].includes(meaningOfCode(failure.code));
        if (!(results instanceof StoreError) && passes && attempt <= MAX_REPEATS) again.push(event);
        else refused.push(failure);
      }
      open = again;
      if (open.length > 0) await this.#retry.pause(attempt);
    }
    return refused;
  }

  /** @returns the results in the order of the events, or the error of the whole call */
  async #put(events: readonly Event[]): Promise<readonly PutEventsResultEntry[] | StoreError> {
    if (this.#fatal !== null) return this.#fatal;
    const command = new PutEventsCommand({ Entries: events.map(({ event }) => event) });
    try {
      const { Entries } = await this.#retry.run(this.#resource, 'PutEvents', () => this.#client.send(command));
      return Entries ?? [];
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#fatal = error;
      return error;
    }
  }
}

function refusal(id: string, error: StoreError): Refusal {
  return { id, code: error.details.vendorCode ?? error.code, message: error.message };
}

/** @returns `null` if the event was accepted: its result then has an event id */
function entryFailure(id: string, result: PutEventsResultEntry | undefined): Refusal | null {
  if (result?.EventId !== undefined && result.ErrorCode === undefined) return null;
  return { id, code: result?.ErrorCode ?? 'Unanswered', message: result?.ErrorMessage ?? 'EventBridge gave no result' };
}

function toEvent(entry: LedgerEntry, bus: string): PutEventsRequestEntry {
  const event = {
    EventBusName: bus,
    Source: EVENT_SOURCE,
    DetailType: wordsOf(entry.type),
    Time: new Date(entry.at),
    Detail: JSON.stringify(entry),
  };
  return bytesOf(event) <= MAX_EVENT_BYTES ? event : { ...event, Detail: JSON.stringify(referenceTo(entry)) };
}

/** The size as EventBridge counts it: 14 for the time, and the UTF-8 bytes of the texts [CalculatePutEventsEntrySize]. */
function bytesOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return 14 + Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);
}
