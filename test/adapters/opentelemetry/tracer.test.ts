import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openTelemetryTracer } from '../../../shared/adapters/opentelemetry/tracer.ts';
import { tracedLogger } from '../../../shared/app/support/traced-logger.ts';
import type { LogFields } from '../../../shared/ports/system.ts';
import { otlpReceiver } from '../../support/otlp-receiver.ts';

const RUN = '01J00000000000000000000000';

/** A tracer as one process has it. */
function tracerOf(endpoint: string, over: { readonly ratio?: number; readonly timeoutMs?: number } = {}) {
  const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const log = (message: string, fields?: LogFields): void => void lines.push({ message, fields });
  const settings = { url: `${endpoint}/v1/traces`, ratio: 1, timeoutMs: 3_000, version: '0.0.0', ...over };
  const tracer = openTelemetryTracer({ ...settings, logger: { warn: log } });
  return { tracer, lines, logger: tracedLogger({ debug: log, info: log, warn: log, error: log }, tracer) };
}

const nothing = async (): Promise<void> => undefined;

describe('the tracer', () => {
  it('puts the spans of a run into one trace, in whichever process they are', async () => {
    const { endpoint, spans } = await otlpReceiver();
    const [scanner, worker] = [tracerOf(endpoint).tracer, tracerOf(endpoint).tracer];
    await worker.within({ name: 'key', kind: 'consumer', attributes: {}, run: { id: RUN, begins: false } }, nothing);
    await scanner.within({ name: 'scan', attributes: {}, run: { id: RUN, begins: true } }, nothing);
    await scanner.within({ name: 'scan', attributes: {}, run: { id: 'another', begins: true } }, nothing);
    await Promise.all([scanner.flush(), worker.flush()]);
    const [first, other] = spans.filter(({ name }) => name === 'scan');
    const key = spans.find(({ name }) => name === 'key');
    expect(first).toMatchObject({ parentId: '' });
    expect(key).toMatchObject({ traceId: first?.traceId, parentId: first?.spanId });
    expect(other?.traceId).not.toBe(first?.traceId);
  });

  it('samples a run as a whole', async () => {
    const { endpoint, spans } = await otlpReceiver();
    const [scanner, worker] = [tracerOf(endpoint, { ratio: 0.5 }).tracer, tracerOf(endpoint, { ratio: 0.5 }).tracer];
    const runs = Array.from({ length: 40 }, (_, n) => `run-${n}`);
    for (const id of runs) {
      await scanner.within({ name: 'scan', attributes: {}, run: { id, begins: true } }, nothing);
      await worker.within({ name: 'key', attributes: {}, run: { id, begins: false } }, nothing);
    }
    await Promise.all([scanner.flush(), worker.flush()]);
    const tracesOf = (name: string) => spans.filter((span) => span.name === name).map(({ traceId }) => traceId);
    expect(tracesOf('scan').toSorted()).toEqual(tracesOf('key').toSorted());
    expect(tracesOf('scan').length).toBeGreaterThan(5);
    expect(tracesOf('scan').length).toBeLessThan(35);
  });

  it('keeps the spans of parallel work apart', async () => {
    const { endpoint, spans } = await otlpReceiver();
    const { tracer } = tracerOf(endpoint);
    const key = (name: string): Promise<void> =>
      tracer.within({ name, attributes: {}, run: { id: RUN, begins: false } }, async () => {
        await Promise.resolve();
        await tracer.within({ name: `call of ${name}`, kind: 'client', attributes: {} }, nothing);
      });
    await Promise.all([key('a'), key('b')]);
    await tracer.flush();
    const spanOf = (name: string) => spans.find((span) => span.name === name);
    for (const name of ['a', 'b']) expect(spanOf(`call of ${name}`)?.parentId).toBe(spanOf(name)?.spanId);
  });

  it('returns and throws what the work does; the span of a failure has no secrets', async () => {
    const { endpoint, spans } = await otlpReceiver();
    const { tracer } = tracerOf(endpoint);
    const start = { name: 'scan', attributes: {}, run: { id: RUN, begins: true } };
    expect(await tracer.within(start, async () => 7)).toBe(7);
    const error = new Error('GET https://x.example/?X-Amz-Signature=abcdef123456');
    await expect(tracer.within(start, () => Promise.reject(error))).rejects.toBe(error);
    await tracer.flush();
    expect(spans.map(({ failed }) => failed)).toEqual([false, true]);
    expect(JSON.stringify(spans)).not.toContain('abcdef123456');
  });

  it('notes repeated calls, and names trace and span in log lines', async () => {
    const { endpoint, spans } = await otlpReceiver();
    const { tracer, logger, lines } = tracerOf(endpoint);
    logger.info('before');
    await tracer.within({ name: 'scan', attributes: {}, run: { id: RUN, begins: true } }, async () => {
      logger.warn('during', { code: 'x' });
      tracer.event('retry', { wait: 5 });
      await tracer.repeated(2, () => tracer.within({ name: 'call', kind: 'client', attributes: {} }, nothing));
    });
    await tracer.flush();
    const [call, scan] = spans;
    expect(call?.attributes).toEqual({ 'http.request.resend_count': 2 });
    expect(scan?.events).toEqual([{ name: 'retry', attributes: { wait: 5 } }]);
    expect(lines).toEqual([
      { message: 'before', fields: {} },
      { message: 'during', fields: { code: 'x', trace_id: scan?.traceId, span_id: scan?.spanId } },
    ]);
  });

  it('traces no request outside of any span', async () => {
    const { endpoint, requests } = await otlpReceiver();
    const { tracer } = tracerOf(endpoint);
    await tracer.within({ name: 'call', kind: 'client', attributes: {} }, nothing);
    await tracer.flush();
    expect(requests).toEqual([]);
  });
});

describe('a collector that fails', () => {
  it('is reported once, without its path', async () => {
    const { endpoint, requests } = await otlpReceiver(400);
    const { tracer, lines } = tracerOf(endpoint);
    for (let n = 0; n < 3; n += 1) {
      await tracer.within({ name: 'scan', attributes: {}, run: { id: RUN, begins: true } }, nothing);
      await tracer.flush();
    }
    expect(requests.length).toBe(3);
    expect(lines.map(({ message }) => message)).toEqual(['traces could not be sent; this is reported only once']);
    expect(lines[0]?.fields?.['message']).toContain(new URL(endpoint).host);
  });

  it('does not delay the end of a process for longer than its timeout', async () => {
    // Accepts connections and never answers.
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { tracer, lines } = tracerOf(`http://127.0.0.1:${portOf(silent.address())}`, { timeoutMs: 200 });
    await tracer.within({ name: 'scan', attributes: {}, run: { id: RUN, begins: true } }, nothing);
    const start = performance.now();
    await tracer.flush();
    expect(performance.now() - start).toBeLessThan(3_500);
    expect(lines).toHaveLength(1);
  });
});

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
