import { expect, test } from 'vitest';
import { CallMeter } from '../../../../shared/app/rate-limiter/call-meter.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const LIST = 'organizations:ListAccounts';

test('measures calls a second by operation, and throttled calls of the last hour', async () => {
  const clock = manualClock();
  const meter = new CallMeter(clock);
  for (let second = 0; second <= 60; second += 5) {
    meter.take({ [LIST]: { count: second * 4, throttled: Math.floor(second / 30) } });
    if (second < 60) await clock.advance(5_000);
  }
  expect(meter.operations()).toEqual(new Map([[LIST, { used: 4, throttled: 2 }]]));
  expect(meter.history()).toEqual([{ at: new Date(clock.now()).toISOString(), used: 4 }]);
});

test('continues when another limiter starts counting at zero', async () => {
  const clock = manualClock();
  const meter = new CallMeter(clock);
  meter.take({ [LIST]: { count: 100, throttled: 1 } });
  await clock.advance(10_000);
  meter.take({ [LIST]: { count: 30, throttled: 0 } });
  expect(meter.operations().get(LIST)).toEqual({ used: 3, throttled: 0 });
});
