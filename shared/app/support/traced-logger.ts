import type { LogFields, Logger } from '../../ports/system.ts';
import { NO_TRACER, type Tracer } from '../../ports/tracer.ts';

/** Adds `trace_id` and `span_id` of the current span to every line. */
export function tracedLogger<L extends Logger>(logger: L, tracer: Tracer): L {
  if (tracer === NO_TRACER) return logger;
  const traced =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void =>
      logger[level](message, { ...fields, ...tracer.ids() });
  return { ...logger, debug: traced('debug'), info: traced('info'), warn: traced('warn'), error: traced('error') };
}
