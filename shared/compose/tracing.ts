import manifest from '../../package.json' with { type: 'json' };
import type { TracingSettings } from '../config/tracing-env.ts';
import type { Logger } from '../ports/system.ts';
import { NO_TRACER, type Tracer } from '../ports/tracer.ts';

/** Loads the SDK only if tracing is on, because loading it takes time. @param settings `null`: off */
export async function openTracer(settings: TracingSettings | null, logger: Pick<Logger, 'warn'>): Promise<Tracer> {
  if (settings === null) return NO_TRACER;
  const { openTelemetryTracer } = await import('../adapters/opentelemetry/tracer.ts');
  return openTelemetryTracer({ ...settings, version: manifest.version, logger });
}

/** The tracer of a process, opened at the first use. */
export class ProcessTracer {
  readonly #open: () => Promise<Tracer>;
  #opened: Promise<Tracer> | null = null;

  constructor(open: () => Promise<Tracer>) {
    this.#open = open;
  }

  readonly get = (): Promise<Tracer> => {
    this.#opened ??= this.#open();
    return this.#opened;
  };

  /** Sends what has not been sent yet. */
  async flush(): Promise<void> {
    // If it could not be opened, `get` has thrown the error.
    const opened = await this.#opened?.catch(() => null);
    await opened?.flush();
  }
}
