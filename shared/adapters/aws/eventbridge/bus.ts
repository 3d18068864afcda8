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
  /** What the SDK's own settings do not say. */
  readonly eventBridge?: EventBridgeClientConfig;
}

export interface EventBridgeBus extends EventBus {
  close(): void;
}

/** PutEvents takes so many entries a call [API_PutEvents]. */
const BATCH = 10;
/**
 * And so many bytes in all. Since January 2026 one event may have 1 MB, but not in every partition, and rules' targets and archives of before
 * take 256 KB; our entries have 1 to 2 KB, so that nothing is lost by staying below [CalculatePutEventsEntrySize].
 */
export const MAX_EVENT_BYTES = 256 * 1024;
const PARALLEL = 4;
/** Repetitions of entries that failed singly; what fails then is tried again by the next tick. */
const MAX_REPEATS = 3;

/**
 * Publishes to EventBridge: `source` is rollcall, `detail-type` the entry's type in words, `detail` the entry, `time` when it happened.
 * An entry that does not fit is replaced by a reference to it with `truncated: true` (see `EntryReference`).
 */
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
      await mapParallel(packed(events), PARALLEL, async (batch) => {
        const failures = await publisher.send(batch);
        refused.push(...failures);
        const failed = new Set(failures.map(({ id }) => id));
        for (const { id } of batch) if (!failed.has(id)) accepted.add(id);
      });
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
  /** What will refuse every further call as well, e.g. a bus that is not there: no use in asking a hundred times. */
  #verdict: StoreError | null = null;

  constructor(client: EventBridgeClient, retry: StoreRetry, bus: string) {
    this.#client = client;
    this.#retry = retry;
    this.#resource = `event bus ${bus}`;
  }

  /** @returns what was not accepted, and why */
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

  /** The results in the order of the events, or why there are none. */
  async #put(events: readonly Event[]): Promise<readonly PutEventsResultEntry[] | StoreError> {
    if (this.#verdict !== null) return this.#verdict;
    const command = new PutEventsCommand({ Entries: events.map(({ event }) => event) });
    try {
      const { Entries } = await this.#retry.run(this.#resource, 'PutEvents', () => this.#client.send(command));
      return Entries ?? [];
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#verdict = error;
      return error;
    }
  }
}

function refusal(id: string, error: StoreError): Refusal {
  return { id, code: error.details.vendorCode ?? error.code, message: error.message };
}

/** The answer has as many results as there were entries; one that is missing, or without an event's id, was not accepted. */
function entryFailure(id: string, result: PutEventsResultEntry | undefined): Refusal | null {
  if (result?.EventId !== undefined && result.ErrorCode === undefined) return null;
  return { id, code: result?.ErrorCode ?? 'Unanswered', message: result?.ErrorMessage ?? 'EventBridge gave no result' };
}

function toEvent(entry: LedgerEntry, bus: string): PutEventsRequestEntry {
  const event = {
    ...{ EventBusName: bus, Source: EVENT_SOURCE, DetailType: wordsOf(entry.type), Time: new Date(entry.at) },
    Detail: JSON.stringify(entry),
  };
  return bytesOf(event) <= MAX_EVENT_BYTES ? event : { ...event, Detail: JSON.stringify(referenceTo(entry)) };
}

/** As EventBridge counts: 14 for the time, and the UTF-8 bytes of source, detail type and detail [CalculatePutEventsEntrySize]. */
function bytesOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return 14 + Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);
}

/** Batches of at most ten events and {@link MAX_EVENT_BYTES} bytes. */
function packed(events: readonly Event[]): readonly (readonly Event[])[] {
  const batches: Event[][] = [];
  let room = 0;
  for (const each of events) {
    const bytes = bytesOf(each.event);
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH || bytes > room) {
      batches.push([each]);
      room = MAX_EVENT_BYTES - bytes;
    } else {
      last.push(each);
      room -= bytes;
    }
  }
  return batches;
}
