import { describe, expect, onTestFinished, test } from 'vitest';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { update } from '../../../shared/app/coordination/typed-register.ts';
import { INSTRUMENTS } from '../../../shared/app/queries/instruments/catalogue.ts';
import { WorkMeter } from '../../../shared/app/queries/instruments/work-meter.ts';
import { CallMeter } from '../../../shared/app/rate-limiter/call-meter.ts';
import { CHECKPOINT, NO_CHECKPOINT } from '../../../shared/app/transparency/checkpoint-state.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { readOpenMetrics } from '../../support/open-metrics.ts';
import { startWorld } from '../../support/world.ts';
import { api, OPERATE, READ, TOKENS } from './support.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PLAIN = 'text/plain; version=0.0.4; charset=utf-8';
/** What Prometheus 3 sends. */
const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

/** The API of an organization after one scan that only reported, so that its drift is open. */
async function afterOneRun() {
  const world = await startWorld({ sandbox: { accounts: 20, drift: 0.5, seed: 3 } });
  await world.run();
  const store = await openStore({ dataDir: world.dataDir, clock: world.clock, readOnly: false });
  onTestFinished(() => store.close());
  const meters = { calls: new CallMeter(world.clock), work: new WorkMeter() };
  return { world, meters, own: await api({ store, clock: world.clock, meters }) };
}

describe('GET /metrics', () => {
  test('has the values of the status', async () => {
    const { own } = await afterOneRun();
    await own.post('/api/halt', { reason: 'test' });
    const status = await own.get('/api/status', SCHEMAS.Status);
    const { value, families } = readOpenMetrics((await own.send('/metrics')).text);
    expect([...families.keys()].toSorted()).toEqual(
      Object.values(INSTRUMENTS)
        .map(({ name }) => name)
        .toSorted(),
    );
    for (const kind of ENROLLMENT_IDS) {
      for (const [word, count] of Object.entries(status.statuses[kind]))
        expect(value('rollcall_accounts', { kind, status: word }), `${kind} ${word}`).toBe(count);
      expect(value('rollcall_managed_accounts', { kind })).toBe(status.compliance[kind].managed);
      expect(value('rollcall_accounts', { kind, status: 'Compliant' })).toBe(status.compliance[kind].compliant);
      expect(value('rollcall_open_drift', { kind })).toBe(status.openDrift.kinds[kind].enrollments);
    }
    const { queue } = status;
    expect(value('rollcall_queue_messages', { state: 'visible' })).toBe(queue.visible);
    expect(value('rollcall_queue_messages', { state: 'hidden' })).toBe(queue.inFlight);
    expect(value('rollcall_dead_letters')).toBe(queue.dead);
    expect(value('rollcall_halted')).toBe(1);
    expect(value('rollcall_guardrail_tripped')).toBe(status.guardrail === null ? 0 : 1);
    expect(value('rollcall_build_info', { version: '0.0.0', runtime: 'embedded' })).toBe(1);
  });

  test('ages are in seconds and grow with the clock', async () => {
    const { own, world } = await afterOneRun();
    const { lastScan, openDrift } = await own.get('/api/status', SCHEMAS.Status);
    const { value } = readOpenMetrics((await own.send('/metrics')).text);
    const since = (at: string | null): number => (world.clock.now() - Date.parse(at ?? '')) / 1_000;
    expect(value('rollcall_last_scan_age_seconds')).toBeCloseTo(since(lastScan.completedAt), 0);
    expect(value('rollcall_last_scan_duration_seconds')).toBeCloseTo(
      (Date.parse(lastScan.completedAt ?? '') - Date.parse(lastScan.startedAt ?? '')) / 1_000,
      3,
    );
    for (const kind of ENROLLMENT_IDS) {
      const { oldestSince } = openDrift.kinds[kind];
      const age = value('rollcall_open_drift_oldest_age_seconds', { kind });
      if (oldestSince === null) expect(age).toBe(0);
      else expect(age).toBeCloseTo(since(oldestSince), 0);
    }
  });

  test('counts calls and keys since the process began', async () => {
    const { own, meters } = await afterOneRun();
    const [kind = 'computeOptimizer'] = ENROLLMENT_IDS;
    meters.calls.take({ 'organizations:ListAccounts': { count: 4, throttled: 1 } });
    meters.work.take({ kind: 'worked', outcome: 'resolved', accountId: '1', enrollment: kind });
    const { value } = readOpenMetrics((await own.send('/metrics')).text);
    const labels = { service: 'organizations', operation: 'ListAccounts' };
    expect(value('rollcall_aws_calls_total', labels)).toBe(4);
    expect(value('rollcall_aws_throttled_calls_total', labels)).toBe(1);
    expect(value('rollcall_changes_total', { kind, outcome: 'resolved' })).toBe(1);
    expect(value('rollcall_changes_total', { kind, outcome: 'dead' })).toBe(0);
    // A new app counts from zero, for example under a changed policy. The process's total goes on.
    meters.calls.take({ 'organizations:ListAccounts': { count: 1, throttled: 0 } });
    expect(readOpenMetrics((await own.send('/metrics')).text).value('rollcall_aws_calls_total', labels)).toBe(5);
  });

  test('has the age of the newest signed checkpoint, and what is wrong with signing', async () => {
    const clock = manualClock();
    const own = await api({ clock });
    const read = async () => readOpenMetrics((await own.send('/metrics')).text);
    expect((await read()).value('rollcall_checkpoint_age_seconds')).toBeNull();
    expect((await read()).value('rollcall_checkpoint_problem', { problem: 'refused' })).toBe(0);
    const newest = { note: '', origin: 'example.com/log', size: 5, at: clock.now() - 90_000, entryId: 'E' };
    const refused = { at: clock.now(), message: 'the log does not extend the checkpoint' };
    await update(own.system.stores.registers, CHECKPOINT, () => ({ ...NO_CHECKPOINT, newest, refused }));
    const { value } = await read();
    expect(value('rollcall_checkpoint_age_seconds')).toBe(90);
    expect(value('rollcall_checkpoint_problem', { problem: 'refused' })).toBe(1);
    expect(value('rollcall_checkpoint_problem', { problem: 'unsigned' })).toBe(0);
  });

  test('an empty store has no ages, and no account of any status', async () => {
    const clock = manualClock();
    const { value, samples } = readOpenMetrics((await (await api({ clock })).send('/metrics')).text);
    expect(value('rollcall_last_scan_age_seconds')).toBeNull();
    expect(value('rollcall_last_scan_duration_seconds')).toBeNull();
    expect(value('rollcall_scan_age_ratio')).toBeNull();
    expect(value('process_start_time_seconds')).toBe(clock.now() / 1_000);
    expect(samples.filter(({ name }) => name === 'rollcall_accounts').every((each) => each.value === 0)).toBe(true);
  });

  test('no label has an account, a name or an ARN', async () => {
    const { own, world } = await afterOneRun();
    const { text } = await own.send('/metrics');
    expect(text).not.toMatch(/\d{12}|arn:/);
    for (const { name } of world.sandbox.accounts()) expect(text).not.toContain(`"${name}"`);
  });

  test.each([
    [undefined, OPEN_METRICS],
    ['*/*', OPEN_METRICS],
    [PROMETHEUS, OPEN_METRICS],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', PLAIN],
    ['text/plain', PLAIN],
    ['text/plain, application/openmetrics-text;q=0', PLAIN],
    ['application/json', OPEN_METRICS],
  ])('Accept: %s is answered with %s', async (accept, type) => {
    const own = await api();
    const { headers, text } = await own.send('/metrics', { headers: accept === undefined ? {} : { accept } });
    expect(headers['content-type']).toBe(type);
    expect(text.endsWith('# EOF\n')).toBe(type === OPEN_METRICS);
  });

  test('needs a token where the API does; the role read is enough', async () => {
    const own = await api({ env: TOKENS });
    expect((await own.send('/metrics')).status).toBe(401);
    const as = (token: string) => own.send('/metrics', { headers: { authorization: `Bearer ${token}` } });
    expect((await as(READ)).status).toBe(200);
    expect((await as(OPERATE)).status).toBe(200);
    expect((await own.send('/metrics', { method: 'POST' })).status).toBe(405);
  });

  test('takes no parameters', async () => {
    const own = await api();
    expect((await own.send('/metrics?name=x')).json).toMatchObject({ status: 400, code: 'BadRequest' });
  });
});
