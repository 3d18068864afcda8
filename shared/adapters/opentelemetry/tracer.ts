import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  createContextKey,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import { makeRedact } from '../../domain/redact.ts';
import type { Logger } from '../../ports/system.ts';
import type { SpanAttributes, SpanStart, Tracer } from '../../ports/tracer.ts';
import { reportedExporter } from './reported-exporter.ts';

export interface OpenTelemetryOptions {
  /** The address for traces, including its path. */
  readonly url: string;
  /** The share of runs that are traced, 0 to 1. */
  readonly ratio: number;
  readonly timeoutMs: number;
  /** Of Rollcall. */
  readonly version: string;
  readonly logger: Pick<Logger, 'warn'>;
}

interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** How long `flush` waits, ms. */
const FLUSH_MS = 3_000;
const KINDS = { client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;
const RETRIES = createContextKey('rollcall.retries');

/**
 * A tracer that sends spans by OTLP over HTTP, in the background.
 *
 * Messages of the work queue carry no trace: version 0.1.0 refuses unknown fields. They carry the id of their run, from which every process derives the
 * same trace and the same parent. The sampler decides by the trace, so all processes decide alike.
 */
export function openTelemetryTracer({ url, ratio, timeoutMs, version, logger }: OpenTelemetryOptions): Tracer {
  const root = new TraceIdRatioBasedSampler(ratio);
  const ids = new Ids();
  const exporter = reportedExporter(new OTLPTraceExporter({ url, timeoutMillis: timeoutMs }), logger, url);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'rollcall', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('rollcall', version);
  const current = new AsyncLocalStorage<Context>();
  const active = (): Context => current.getStore() ?? ROOT_CONTEXT;
  const redact = makeRedact();

  const isSampled = (traceId: string): boolean =>
    root.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  /** The context in which the span of a run starts: below the run's own span, which another process may have recorded. */
  const belowRun = (own: SpanIds): Context => {
    const traceFlags = isSampled(own.traceId) ? TraceFlags.SAMPLED : TraceFlags.NONE;
    return trace.setSpanContext(ROOT_CONTEXT, { ...own, traceFlags, isRemote: true });
  };
  const begin = <T>({ name, kind, attributes, run }: SpanStart<T>) => {
    const context = active();
    const retries = kind === 'client' ? context.getValue(RETRIES) : undefined;
    const all = typeof retries === 'number' ? { ...attributes, 'http.request.resend_count': retries } : attributes;
    const options = { attributes: all, kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind] };
    if (run === undefined) return { span: tracer.startSpan(name, options, context), context };
    const own = idsOfRun(run.id);
    const parent = run.begins ? ROOT_CONTEXT : belowRun(own);
    const start = () => tracer.startSpan(name, options, parent);
    return { span: run.begins ? ids.as(own, start) : start(), context: parent };
  };

  return {
    async within(start, work) {
      if (start.kind === 'client' && trace.getSpanContext(active()) === undefined) return work();
      const { done, failed, isExpected = () => false } = start;
      const { span, context } = begin(start);
      try {
        const result = await current.run(trace.setSpan(context, span), work);
        if (done !== undefined) span.setAttributes(done(result));
        return result;
      } catch (error) {
        if (failed !== undefined) span.setAttributes(failed(error));
        if (!isExpected(error))
          span.setStatus({ code: SpanStatusCode.ERROR, message: String(redact(messageOf(error))) });
        throw error;
      } finally {
        span.end();
      }
    },
    event(name: string, attributes: SpanAttributes) {
      trace.getSpan(active())?.addEvent(name, attributes);
    },
    repeated: (retries, call) => current.run(active().setValue(RETRIES, retries), call),
    ids() {
      const span = trace.getSpanContext(active());
      return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
    },
    async flush() {
      // The exporter has reported why it failed.
      await provider.forceFlush({ timeoutMillis: FLUSH_MS }).catch(() => undefined);
    },
  };
}

/** Trace and span of a run, the same in every process. */
function idsOfRun(runId: string): SpanIds {
  const hash = sha256Hex(runId);
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}

/** Random ids, except for the own span of a run. */
class Ids implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #own: SpanIds | null = null;

  /** @param start starts one span, synchronously */
  as<T>(own: SpanIds, start: () => T): T {
    this.#own = own;
    try {
      return start();
    } finally {
      this.#own = null;
    }
  }

  generateTraceId(): string {
    return this.#own?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#own?.spanId ?? this.#random.generateSpanId();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
