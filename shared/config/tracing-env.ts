import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';

/** Where traces are sent. The exporter reads the other standard variables itself: headers, certificates, compression. */
export interface TracingSettings {
  /** The address for traces, including its path. */
  readonly url: string;
  /** The share of runs that are traced, 0 to 1. */
  readonly ratio: number;
  /** How long one attempt to send may take, with its retries, ms. */
  readonly timeoutMs: number;
}

const DEFAULT_ENDPOINT = 'http://localhost:4318';
/** Shorter than the standard's 10 s, because a command waits for its last spans before it ends. */
const TIMEOUT_MS = 3_000;
const PROTOCOL = 'http/protobuf';

/** The samplers of the standard. A run is a root, so those that follow a parent decide like their roots. */
const SAMPLERS: Readonly<Record<string, 'on' | 'off' | 'ratio'>> = {
  always_on: 'on',
  always_off: 'off',
  traceidratio: 'ratio',
  parentbased_always_on: 'on',
  parentbased_always_off: 'off',
  parentbased_traceidratio: 'ratio',
};

/**
 * Reads OpenTelemetry's variables. Tracing is on if `OTEL_TRACES_EXPORTER` is `otlp`, or if it is not set and an endpoint is.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @returns `null`: tracing is off
 * @throws ConfigError for a value that is not supported
 */
export function readTracing(env: Environment): TracingSettings | null {
  const value = (name: string): string | null => env[name]?.trim() || null;
  const own = value('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const common = value('OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = value('OTEL_TRACES_EXPORTER') ?? (own === null && common === null ? 'none' : 'otlp');
  if (exporter !== 'otlp' && exporter !== 'none') throw wrong('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  if (exporter === 'none' || value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    const found = value(name);
    if (found !== null && found !== PROTOCOL) throw wrong(name, found, PROTOCOL);
  }
  const url =
    own === null
      ? `${addressOf('OTEL_EXPORTER_OTLP_ENDPOINT', common ?? DEFAULT_ENDPOINT).replace(/\/$/, '')}/v1/traces`
      : addressOf('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own);
  const timeout = value('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT') ?? value('OTEL_EXPORTER_OTLP_TIMEOUT');
  return { url, ratio: ratioOf(value), timeoutMs: timeout === null ? TIMEOUT_MS : timeoutOf(timeout) };
}

function addressOf(name: string, text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  // The address may contain a password, so it is not repeated.
  throw new ConfigError('Environment', `${name} is not an address; expected http://HOST:PORT or https://HOST.`);
}

function timeoutOf(text: string): number {
  const ms = Number(text);
  if (Number.isInteger(ms) && ms > 0) return ms;
  throw wrong('OTEL_EXPORTER_OTLP_TIMEOUT', text, 'a number of milliseconds above 0');
}

function ratioOf(value: (name: string) => string | null): number {
  const name = value('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const sampler = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (sampler === undefined) throw wrong('OTEL_TRACES_SAMPLER', name, Object.keys(SAMPLERS).join(', '));
  if (sampler !== 'ratio') return sampler === 'on' ? 1 : 0;
  const text = value('OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw wrong('OTEL_TRACES_SAMPLER_ARG', text, 'a number from 0 to 1');
}

function wrong(name: string, found: string, expected: string): ConfigError {
  return new ConfigError('Environment', `${name} is ${JSON.stringify(found.slice(0, 80))}; expected ${expected}.`);
}
