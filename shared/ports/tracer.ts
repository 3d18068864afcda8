/**
 * Traces: which work belongs together, how long each part took, and what it called.
 *
 * Promises:
 * - `within` does the work whether or not it is traced, and returns or throws exactly what the work does.
 * - All spans of a run are in one trace, in every process: trace and parent are derived from the id of the run.
 * - A request (`client`) outside any span is not traced, because nothing would say what it belongs to.
 * - Exporting never delays work and never throws. The first failure is logged; the following ones are not.
 */
export interface Tracer {
  /** Does the work in a span below the current one. */
  within<T>(start: SpanStart<T>, work: () => Promise<T>): Promise<T>;
  /** Records an event in the current span, if there is one. */
  event(name: string, attributes: SpanAttributes): void;
  /** Repeats a failed call; its span says how often it was repeated before. */
  repeated<T>(retries: number, call: () => Promise<T>): Promise<T>;
  /** The current span for log lines; empty if there is no span. */
  ids(): TraceIds;
  /** Sends the spans that have ended. Waits for a few seconds at most. */
  flush(): Promise<void>;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

interface TraceIds {
  readonly trace_id?: string;
  readonly span_id?: string;
}

export interface SpanStart<T> {
  readonly name: string;
  /** `client`: a request to another service. `consumer`: work from a queue. Default: neither. */
  readonly kind?: 'client' | 'consumer';
  readonly attributes: SpanAttributes;
  /** The run that it belongs to. `begins`: it is the run's own span, the parent of the others. Default: the run of the current span. */
  readonly run?: { readonly id: string; readonly begins: boolean };
  /** Further attributes, from the result. */
  readonly done?: (result: T) => SpanAttributes;
  /** Further attributes, from the error that the work throws. */
  readonly failed?: (error: unknown) => SpanAttributes;
  /** Whether the error is a normal end of the work. Default: no error is. */
  readonly isExpected?: (error: unknown) => boolean;
}

const NO_IDS: TraceIds = {};

/** Traces nothing. */
export const NO_TRACER: Tracer = {
  within: (_, work) => work(),
  event: () => undefined,
  repeated: (_, call) => call(),
  ids: () => NO_IDS,
  flush: async () => undefined,
};
