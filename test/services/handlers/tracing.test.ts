import { expect, test } from 'vitest';
import { otlpReceiver } from '../../support/otlp-receiver.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

test('scanner and worker put a run into one trace, although its messages carry none', async () => {
  const collector = await otlpReceiver();
  const tracing = { url: `${collector.endpoint}/v1/traces`, ratio: 1, timeoutMs: 3_000 };
  const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 }, tracing });
  const { tick, scan, work } = functionsOf(world);
  const { scanRequested: runId } = await tick();
  await scan();
  for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);

  const { spans } = collector;
  const run = spans.find(({ name }) => name === 'scan');
  expect(run).toMatchObject({ parentId: '', attributes: { 'rollcall.run.id': runId } });
  const keys = spans.filter(({ name }) => name.startsWith('reconcile'));
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(key).toMatchObject({ traceId: run?.traceId, parentId: run?.spanId });
  const parents = new Set(keys.map(({ spanId }) => spanId));
  const calls = spans.filter(({ name }) => name === 'compute-optimizer/UpdateEnrollmentStatus');
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.filter(({ parentId }) => !parents.has(parentId))).toEqual([]);
});
