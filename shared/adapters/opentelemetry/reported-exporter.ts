import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../../ports/system.ts';

/** `SpanExporter` with a log line for the first failure. The SDK drops the spans of a failed export. */
export function reportedExporter(exporter: SpanExporter, logger: Pick<Logger, 'warn'>, url: string): SpanExporter {
  let reported = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined && !reported) {
          reported = true;
          const message = `${result.error.message || result.error.name} (${new URL(url).host})`;
          logger.warn('traces could not be sent; this is reported only once', { message });
        }
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
