import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { readTracing } from '../../../shared/config/tracing-env.ts';

const ENDPOINT = 'https://otel.example.com:4318';

describe('the variables of OpenTelemetry', () => {
  it('turn tracing on with an endpoint, or with the exporter otlp', () => {
    expect(readTracing({})).toBeNull();
    expect(readTracing({ OTEL_SERVICE_NAME: 'rollcall' })).toBeNull();
    expect(readTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toBeNull();
    expect(readTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT })).toEqual({
      url: `${ENDPOINT}/v1/traces`,
      ratio: 1,
      timeoutMs: 3_000,
    });
    expect(readTracing({ OTEL_TRACES_EXPORTER: 'otlp' })?.url).toBe('http://localhost:4318/v1/traces');
  });

  it('turn it off with the exporter none, and with the whole SDK', () => {
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT };
    expect(readTracing({ ...on, OTEL_TRACES_EXPORTER: 'none' })).toBeNull();
    expect(readTracing({ ...on, OTEL_SDK_DISABLED: 'TRUE' })).toBeNull();
    expect(readTracing({ ...on, OTEL_SDK_DISABLED: 'false' })).not.toBeNull();
  });

  it('address the collector: a common address gets the path, one for traces is taken as it is', () => {
    const url = (env: Record<string, string>) => readTracing(env)?.url;
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: `${ENDPOINT}/prefix/` })).toBe(`${ENDPOINT}/prefix/v1/traces`);
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${ENDPOINT}/custom` };
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other', ...own })).toBe(`${ENDPOINT}/custom`);
  });

  it.each([
    ['always_on', undefined, 1],
    ['always_off', undefined, 0],
    ['parentbased_always_on', undefined, 1],
    ['parentbased_always_off', undefined, 0],
    ['traceidratio', '0.25', 0.25],
    ['parentbased_traceidratio', '0', 0],
    ['traceidratio', undefined, 1],
  ])('sample with %s and %s', (sampler, argument, ratio) => {
    const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument };
    expect(readTracing(env)?.ratio).toBe(ratio);
  });

  it.each([
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER is "zipkin"; expected otlp or none.'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'anna:secret@collector' },
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an address; expected http://HOST:PORT or https://HOST.',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"; expected http/protobuf.',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'toString' },
      'OTEL_TRACES_SAMPLER is "toString"; expected always_on,',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10%' },
      'OTEL_TRACES_SAMPLER_ARG is "10%"; expected a number from 0 to 1.',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TIMEOUT: '5s' },
      'OTEL_EXPORTER_OTLP_TIMEOUT is "5s"; expected a number of milliseconds above 0.',
    ],
  ])('refuse %j', (env, message) => {
    expect(() => readTracing(env)).toThrow(ConfigError);
    expect(() => readTracing(env)).toThrow(message);
    expect(() => readTracing(env)).not.toThrow('secret');
  });
});
