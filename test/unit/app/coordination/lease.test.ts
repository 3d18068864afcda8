import { describe, expect, it } from 'vitest';
import { memoryRegisters } from '../../../../shared/adapters/embedded/memory-registers.ts';
import { acquireLease, type Lease, withLease } from '../../../../shared/app/coordination/lease.ts';
import { BUSY, oneAtATime } from '../../../../shared/app/coordination/single-flight.ts';
import type { Registers } from '../../../../shared/ports/registers.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const MINUTE = 60_000;

async function hold(registers: Registers, clock: ManualClock, owner: string): Promise<Lease> {
  const answer = await acquireLease(registers, clock, 'scan', owner, MINUTE);
  return 'lease' in answer ? answer.lease : expect.fail(`held by ${answer.holder}`);
}

function parts() {
  return { registers: memoryRegisters(), clock: manualClock() };
}

describe('a lease', () => {
  it('is one owner’s at a time, and says whose and until when', async () => {
    const { registers, clock } = parts();
    await hold(registers, clock, 'one');
    const until = clock.now() + MINUTE;
    expect(await acquireLease(registers, clock, 'scan', 'two', MINUTE)).toEqual({ holder: 'one', until });
    expect(await acquireLease(registers, clock, 'other', 'two', MINUTE)).toHaveProperty('lease');
  });

  it('goes to exactly one of many concurrent callers', async () => {
    const { registers, clock } = parts();
    const asked = Array.from({ length: 20 }, (_, n) => acquireLease(registers, clock, 'scan', `owner-${n}`, MINUTE));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => 'lease' in answer)).toHaveLength(1);
  });

  it('is free again when it is released', async () => {
    const { registers, clock } = parts();
    const lease = await hold(registers, clock, 'one');
    await lease.release();
    await hold(registers, clock, 'two');
  });

  it('can be prolonged, and is taken over once it has expired, not before', async () => {
    const { registers, clock } = parts();
    const lease = await hold(registers, clock, 'one');
    await clock.advance(MINUTE - 1);
    expect(await lease.renew()).toBe(true);
    await clock.advance(MINUTE - 1);
    expect(await acquireLease(registers, clock, 'scan', 'two', MINUTE)).toHaveProperty('holder', 'one');
    await clock.advance(1);
    await hold(registers, clock, 'two');
  });

  it('that was taken over cannot be extended, and its release does not affect the new owner', async () => {
    const { registers, clock } = parts();
    const lease = await hold(registers, clock, 'one');
    await clock.advance(MINUTE);
    await hold(registers, clock, 'two');
    expect(await lease.renew()).toBe(false);
    expect(await lease.renew()).toBe(false);
    await lease.release();
    expect(await acquireLease(registers, clock, 'scan', 'three', MINUTE)).toHaveProperty('holder', 'two');
  });
});

describe('one at a time', () => {
  it('keeps others away for as long as the work lasts, however long that is', async () => {
    const { registers, clock } = parts();
    const deps = (name: string) => ({ registers, clock, newId: () => name });
    const first = oneAtATime(deps('one'), 'publish', () => clock.sleep(10 * MINUTE));
    for (let minute = 0; minute < 9; minute += 1) {
      await clock.advance(MINUTE);
      expect(await oneAtATime(deps('two'), 'publish', async () => 'mine')).toBe(BUSY);
    }
    await clock.advance(2 * MINUTE);
    await first;
    expect(await oneAtATime(deps('two'), 'publish', async () => 'mine')).toBe('mine');
  });

  it('signals a lost lease to the work', async () => {
    const { registers, clock } = parts();
    const work = async (lost: AbortSignal): Promise<boolean> => {
      await clock.sleep(10 * MINUTE, lost);
      return lost.aborted;
    };
    const working = oneAtATime({ registers, clock, newId: () => 'one' }, 'publish', work);
    await clock.advance(1_000);
    const [register] = await registers.list('lease/');
    if (register === undefined) expect.fail('a lease');
    await registers.write(register.name, { owner: 'two', expiresAt: clock.now() + MINUTE }, register.version);
    await clock.advance(MINUTE);
    expect(await working).toBe(true);
  });
});

describe('work under a lease', () => {
  const quiet = (): void => undefined;

  it('keeps it while the work lasts, and then removes it', async () => {
    const { registers, clock } = parts();
    const working = withLease({ registers, clock, name: 'scan', owner: 'one', onWait: quiet }, async (lost) => {
      await clock.sleep(10 * MINUTE);
      expect(lost.aborted).toBe(false);
      return 'done';
    });
    for (let minute = 0; minute < 9; minute += 1) {
      await clock.advance(MINUTE);
      expect(await acquireLease(registers, clock, 'scan', 'two', MINUTE)).toHaveProperty('holder', 'one');
    }
    await clock.advance(2 * MINUTE);
    expect(await working).toBe('done');
    expect(await registers.list('lease/')).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it('waits for its turn, and reports the owner it waits for', async () => {
    const { registers, clock } = parts();
    const lease = await hold(registers, clock, 'one');
    const waitedFor: string[] = [];
    const onWait = (holder: string): void => void waitedFor.push(holder);
    const working = withLease({ registers, clock, name: 'scan', owner: 'two', onWait }, async () => 'mine');
    await clock.advance(5_000);
    expect(waitedFor).toContain('one');
    await lease.release();
    await clock.advance(2_000);
    expect(await working).toBe('mine');
  });

  it('is released when the work fails, and the error is rethrown', async () => {
    const { registers, clock } = parts();
    const failing = async (): Promise<never> => {
      throw new Error('no');
    };
    await expect(withLease({ registers, clock, name: 'scan', owner: 'one', onWait: quiet }, failing)).rejects.toThrow(
      'no',
    );
    await hold(registers, clock, 'two');
  });

  it('hears that the lease was lost', async () => {
    const { registers, clock } = parts();
    const working = withLease({ registers, clock, name: 'scan', owner: 'one', onWait: quiet }, async (lost) => {
      await clock.sleep(5 * MINUTE, lost);
      return String(lost.reason);
    });
    await clock.advance(1_000);
    const [register] = await registers.list('lease/');
    if (register === undefined) expect.fail('a lease');
    await registers.write(register.name, { owner: 'two', expiresAt: clock.now() + 9 * MINUTE }, register.version);
    await clock.advance(MINUTE);
    expect(await working).toContain('was lost to another process');
    expect(await acquireLease(registers, clock, 'scan', 'three', MINUTE)).toHaveProperty('holder', 'two');
  });

  it('hears that the lease could not be prolonged, instead of the process ending of it', async () => {
    const { registers, clock } = parts();
    let broken = false;
    const failing: Registers = {
      ...registers,
      write: async (...args) => {
        if (broken) throw new Error('the disk is full');
        return registers.write(...args);
      },
    };
    const working = withLease(
      { registers: failing, clock, name: 'scan', owner: 'one', onWait: quiet },
      async (lost) => {
        broken = true;
        await clock.sleep(5 * MINUTE, lost);
        return String(lost.reason);
      },
    );
    await clock.advance(MINUTE);
    expect(await working).toContain('could not be renewed');
  });

  it('is exclusive: of many concurrent callers, no two work at the same time', async () => {
    const { registers, clock } = parts();
    let inside = 0;
    let most = 0;
    const all = Array.from({ length: 6 }, (_, n) =>
      withLease({ registers, clock, name: 'scan', owner: `owner-${n}`, onWait: quiet }, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await clock.sleep(90_000);
        inside -= 1;
      }),
    );
    await clock.advance(6 * 100_000);
    await Promise.all(all);
    expect(most).toBe(1);
  });

  it('is no longer waited for after a stop signal', async () => {
    const { registers, clock } = parts();
    await hold(registers, clock, 'one');
    const stop = new AbortController();
    const onWait = () => {
      if (stop.signal.aborted) throw new Error('left off');
    };
    const waiting = withLease(
      { registers, clock, name: 'scan', owner: 'two', onWait, stop: stop.signal },
      async () => 'worked',
    );
    const ended = expect(waiting).rejects.toThrow('left off');
    await clock.advance(0);
    const at = clock.now();
    stop.abort();
    await ended;
    expect(clock.now()).toBe(at);
  });
});
