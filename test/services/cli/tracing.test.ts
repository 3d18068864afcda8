import { describe, expect, test } from 'vitest';
import { otlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { ENROLL, place, spawned, world } from './support.ts';

const APPLY = ['apply', '--yes', '--json', '--verbose'];

/** A span with those below it. */
interface Tree {
  readonly span: ReceivedSpan;
  readonly children: readonly Tree[];
}

function treesOf(spans: readonly ReceivedSpan[], parentId = ''): readonly Tree[] {
  return spans
    .filter((span) => span.parentId === parentId)
    .map((span) => ({ span, children: treesOf(spans, span.spanId) }));
}

describe('traces of a run', () => {
  test('run, keys and calls are one tree', async () => {
    const collector = await otlpReceiver();
    const { env, running } = await world();
    // One call is throttled and repeated.
    running.sandbox.setFaults([
      { operation: 'GetEnrollmentStatusesForOrganization', kind: 'throttle', from: 1, count: 1 },
    ]);
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const otel = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=finops',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    };
    const result = await spawned(APPLY, { cwd, env: { ...env, ...otel } });
    expect(result.code, result.stderr).toBe(0);

    const { spans, requests } = collector;
    expect(requests[0]).toMatchObject({ url: '/v1/traces', headers: { 'x-tenant': 'finops' } });
    expect(spans[0]?.resource).toMatchObject({
      'service.name': 'rollcall',
      'deployment.environment.name': 'test',
    });
    const run = treesOf(spans).find(({ span }) => span.name === 'scan');
    expect(run?.span.attributes).toMatchObject({ 'rollcall.run.trigger': 'apply', 'rollcall.plan.follow_ups': 0 });
    const keys = (run?.children ?? []).filter(({ span }) => span.name === 'reconcile');
    const changed = keys.filter(({ span }) => span.attributes['rollcall.outcome'] === 'resolved');
    expect(changed.length).toBeGreaterThan(0);
    for (const { span, children } of changed) {
      expect(span.attributes).toMatchObject({
        'rollcall.enrollment': 'computeOptimizer',
        'rollcall.run.id': run?.span.attributes['rollcall.run.id'],
        'rollcall.account.id': expect.stringMatching(/^\d{12}$/),
      });
      const [call] = children.filter((each) => each.span.name === 'compute-optimizer/UpdateEnrollmentStatus');
      expect(call?.span.attributes).toMatchObject({
        'rpc.system': 'aws-api',
        'rpc.service': 'compute-optimizer',
        'rpc.method': 'UpdateEnrollmentStatus',
        'rollcall.call.outcome': 'ok',
      });
    }
    const listings = (run?.children ?? []).filter(
      ({ span }) => span.name === 'compute-optimizer/GetEnrollmentStatusesForOrganization',
    );
    expect(listings.map(({ span }) => [span.attributes['rollcall.call.outcome'], span.failed])).toContainEqual([
      'throttled',
      true,
    ]);
    expect(listings.some(({ span }) => span.attributes['http.request.resend_count'] === 1)).toBe(true);
    expect(run?.span.events).toMatchObject([{ name: 'retry', attributes: { 'error.type': 'ThrottlingException' } }]);
    // Calls before the run, such as the one that identifies the caller, belong to no trace.
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  test('nothing is sent without the variables', async () => {
    const collector = await otlpReceiver();
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_SDK_DISABLED: 'true' };
    expect((await spawned(APPLY, { cwd, env: { ...env, ...off } })).code).toBe(0);
    expect(collector.requests).toEqual([]);
  });

  test('runs that are not sampled send nothing', async () => {
    const collector = await otlpReceiver();
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const none = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER: 'always_off' };
    expect((await spawned(APPLY, { cwd, env: { ...env, ...none } })).code).toBe(0);
    expect(collector.spans).toEqual([]);
  });

  test('a collector that refuses is reported once, and the work is done', async () => {
    const collector = await otlpReceiver(400);
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const result = await spawned(['apply', '--yes'], { cwd, env: { ...env, ...otel } });
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr.match(/traces could not be sent/g)).toHaveLength(1);
  });

  test('an invalid variable is refused before anything is done', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await spawned(['apply', '--yes'], { cwd, env: { ...env, OTEL_TRACES_EXPORTER: 'zipkin' } });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('OTEL_TRACES_EXPORTER is "zipkin"; expected otlp or none.');
  });
});
