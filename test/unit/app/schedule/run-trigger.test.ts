import { expect, test } from 'vitest';
import { requestEarlyScan } from '../../../../shared/app/schedule/scan-requests.ts';
import {
  beginPart,
  endPart,
  makeScanDue,
  requestScan,
  scanNow,
} from '../../../../shared/app/schedule/scan-schedule.ts';
import { store as openStore } from '../../../services/api/support.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../../support/manual-clock.ts';
import { compiled, policyText } from '../../../support/world-policy.ts';

const POLICY = compiled(policyText(), MANUAL_CLOCK_START);
const OTHER = compiled(policyText({ automation: 'Active' }), MANUAL_CLOCK_START);

async function schedule() {
  const clock = manualClock(MANUAL_CLOCK_START);
  const { registers } = await openStore(clock);
  let runs = 0;
  const newId = (): string => {
    runs += 1;
    return `run-${runs}`;
  };
  const deps = { registers, clock, newId };
  const run = async (policy = POLICY) => {
    const request = await requestScan(deps, policy);
    if (request === null) return null;
    const state = await beginPart(deps, request.runId);
    await endPart(deps, request.runId, 'done');
    return state?.trigger ?? null;
  };
  return { clock, registers, deps, run };
}

test('each run records what it was requested for', async () => {
  const { clock, registers, deps, run } = await schedule();
  expect(await run()).toEqual({ kind: 'schedule', actor: null, reason: null });
  expect(await run()).toBeNull();

  const asked = { kind: 'scan', actor: 'anna', reason: 'after the outage' } as const;
  await makeScanDue(registers, asked);
  expect(await run()).toEqual(asked);
  // The request is fulfilled.
  expect((await scanNow(registers))?.value.asked).toBeNull();

  await clock.advance(10 * 60_000);
  const dueAt = (await scanNow(registers))?.value.dueAt ?? 0;
  await requestEarlyScan(deps, { organization: true, reason: 'an OU was moved' }, dueAt);
  expect(await run()).toEqual({ kind: 'event', actor: null, reason: 'an OU was moved' });
  expect(await run(OTHER)).toEqual({ kind: 'policy', actor: null, reason: null });
});

test('a person who asked for a scan is named although an event also requests it', async () => {
  const { clock, registers, deps, run } = await schedule();
  await run();
  await clock.advance(10 * 60_000);
  const dueAt = (await scanNow(registers))?.value.dueAt ?? 0;
  await requestEarlyScan(deps, { organization: true, reason: 'an OU was moved' }, dueAt);
  const asked = { kind: 'scan', actor: 'anna', reason: 'after the outage' } as const;
  await makeScanDue(registers, asked);
  await makeScanDue(registers, { kind: 'event', actor: null, reason: 'many accounts were released together' });
  expect(await run()).toEqual(asked);
  expect(await run()).toBeNull();
});

test('a run that another process continues keeps its trigger', async () => {
  const { clock, registers, deps, run } = await schedule();
  await run();
  const asked = { kind: 'resume', actor: 'anna', reason: null } as const;
  await makeScanDue(registers, asked);
  const request = await requestScan(deps, POLICY);
  await beginPart(deps, request?.runId ?? '');
  await clock.advance(60_000);
  expect(await requestScan(deps, POLICY)).toEqual({ runId: request?.runId, again: true });
  expect((await scanNow(registers))?.value.trigger).toEqual(asked);
  // Its stored answers are too old, so a new run starts for the same request.
  await clock.advance(40 * 60_000);
  expect((await requestScan(deps, POLICY))?.runId).not.toBe(request?.runId);
  expect((await scanNow(registers))?.value.trigger).toEqual(asked);
});
