import { expect } from 'vitest';
import type { Registers } from '../../shared/ports/registers.ts';
import type { StoreTime, TimeReading } from '../../shared/ports/store-time.ts';
import { contractOf } from './contract.ts';

/** The store time under test, with the store's true time and the adapter's monotonic clock. */
export interface StoreTimePort {
  readonly time: StoreTime;
  readonly registers: Registers;
  /** Epoch ms by the store's clock. */
  trueTime(): number;
  monotonic(): number;
  /** Whether the store's answers carry its time. */
  readonly answers: boolean;
  /** The number of writing requests so far. */
  writes(): number;
}

/** Whether the store's true time between request and answer is within the bounds of the reading. */
function expectTrue(reading: TimeReading, truth: { readonly before: number; readonly after: number }): void {
  expect(reading.askedAt).toBeLessThanOrEqual(reading.answeredAt);
  expect(reading.earliest).toBeLessThanOrEqual(reading.latest);
  // One more millisecond for the fraction that `Date.now` cuts off.
  expect(reading.earliest).toBeLessThanOrEqual(truth.after + 1);
  expect(reading.latest).toBeGreaterThanOrEqual(truth.before - 1);
}

export const storeTimeContract = contractOf<StoreTimePort>()('StoreTime', {
  async 'a reading bounds the time of the store'({ port }) {
    for (let round = 0; round < 20; round += 1) {
      const [before, begun] = [port.trueTime(), port.monotonic()];
      const reading = await port.time.read();
      if (reading === null) expect.fail('no time');
      expectTrue(reading, { before, after: port.trueTime() });
      expect(reading.askedAt).toBeGreaterThanOrEqual(begun);
      expect(reading.answeredAt).toBeLessThanOrEqual(port.monotonic());
    }
  },

  async 'reading writes nothing'({ port }) {
    const writes = port.writes();
    for (let round = 0; round < 5; round += 1) await port.time.read();
    expect(port.writes()).toBe(writes);
    expect(await port.registers.list('')).toEqual([]);
  },

  async 'readings from other answers are correct too'({ port }) {
    const heard: TimeReading[] = [];
    port.time.follow((reading) => heard.push(reading));
    const before = port.trueTime();
    const version = await port.registers.write('x', 1, null);
    await port.registers.read('x');
    await port.registers.write('x', 2, version);
    expect(heard.length > 0).toBe(port.answers);
    for (const reading of heard) expectTrue(reading, { before, after: port.trueTime() });
  },
});
