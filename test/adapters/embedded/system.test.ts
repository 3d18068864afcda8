import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/adapters/system/clock.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { jsonLogger, type LogLevel } from '../../../shared/adapters/system/logger.ts';
import { systemRandom } from '../../../shared/adapters/system/random.ts';
import { Secret } from '../../../shared/domain/policy/file/secret.ts';
import { range } from '../../contract/samples.ts';
import { manualClock, MANUAL_CLOCK_START as START } from '../../support/manual-clock.ts';

describe('the system clock', () => {
  it('returns the time in epoch ms', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  it('sleeps at least the requested time', async () => {
    const start = performance.now();
    await systemClock.sleep(20);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    await systemClock.sleep(-5);
  });

  it('wakes when the signal aborts, without throwing, even from a sleep of months', async () => {
    const controller = new AbortController();
    const start = performance.now();
    const long = systemClock.sleep(100 * 86_400_000, controller.signal);
    const asleep = await Promise.race([long.then(() => false), systemClock.sleep(5).then(() => true)]);
    expect(asleep).toBe(true);
    controller.abort();
    await long;
    await systemClock.sleep(60_000, controller.signal);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('keeps the process alive while it sleeps', async () => {
    const module = fileURLToPath(new URL('../../../shared/adapters/system/clock.ts', import.meta.url));
    const code = `import { systemClock } from ${JSON.stringify(module)}; await systemClock.sleep(50); console.log('awake')`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toBe('awake\n');
  });
});

describe('the manual clock', () => {
  it('wakes sleepers in order, each at its own time, including those that sleep again', async () => {
    const clock = manualClock();
    const log: string[] = [];
    const sleeper = async (name: string, ...naps: number[]) => {
      for (const ms of naps) {
        await clock.sleep(ms);
        log.push(`${name}@${clock.now() - START}`);
      }
    };
    const all = Promise.all([sleeper('a', 30, 10), sleeper('b', 10, 30), sleeper('c', 20, 100), sleeper('d', 20)]);
    expect(clock.sleeping).toBe(4);
    await clock.advance(50);
    expect(log).toEqual(['b@10', 'c@20', 'd@20', 'a@30', 'b@40', 'a@40']);
    expect(clock.now()).toBe(START + 50);
    expect(await clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(START + 120);
    expect(await clock.advanceToNext()).toBe(false);
    await all;
  });

  it('wakes an aborted sleeper and removes it', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const nap = clock.sleep(1000, controller.signal);
    controller.abort();
    await nap;
    await clock.sleep(1000, controller.signal);
    expect(clock.sleeping).toBe(0);
    expect(clock.now()).toBe(START);
  });
});

describe('system random', () => {
  it('is in [0, 1), uniform, and never repeats', () => {
    const numbers = range(4000).map(() => systemRandom());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(new Set(numbers).size).toBe(4000);
    // Each tenth should get 400 of 4,000; a deviation of ten standard deviations is a defect.
    for (const tenth of range(10)) {
      const hits = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
      expect(Math.abs(hits - 400)).toBeLessThan(190);
    }
  });
});

describe('ids', () => {
  it('are 26 characters, unique, and sort by creation, even within one ms', () => {
    const newId = makeNewId(manualClock());
    const ids = range(5000).map(() => newId());
    for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(new Set(ids).size).toBe(5000);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('sort by creation whatever the clock and the random numbers are', () => {
    const random = fc.double({ min: 0, max: 0.96, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), random), { minLength: 2 }), (steps) => {
        let step = 0;
        const clock = { now: () => 1_700_000_000_000 + (steps[step]?.[0] ?? 0) };
        const newId = makeNewId(clock, () => steps[step]?.[1] ?? 0);
        const ids = steps.map((_, index) => {
          step = index;
          return newId();
        });
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('carry the time as a ULID does, and depend on nothing but the given clock and random numbers', () => {
    const ids = () => {
      let now = 1_469_918_176_385;
      const newId = makeNewId({ now: () => now }, () => 0.5);
      const first = [newId(), newId()];
      now -= 5;
      const setBack = newId();
      now += 10;
      return [...first, setBack, newId()];
    };
    expect(ids()).toEqual([
      '01ARYZ6S41GGGGGGGGGGGGGGGG',
      '01ARYZ6S41GGGGGGGGGGGGGGGH',
      '01ARYZ6S41GGGGGGGGGGGGGGGJ',
      '01ARYZ6S46GGGGGGGGGGGGGGGG',
    ]);
    for (const now of [-1, 0, 1.5])
      expect(makeNewId({ now: () => now }, () => 0)()).toBe('1'.padStart(10, '0').padEnd(26, '0'));
  });

  it('differ between generators', () => {
    const clock = manualClock();
    const makers = range(50).map(() => makeNewId(clock));
    expect(new Set(makers.map((make) => make())).size).toBe(50);
  });
});

describe('the logger', () => {
  const logger = (level: LogLevel = 'debug', secrets: readonly string[] = []) => {
    const lines: string[] = [];
    const log = jsonLogger({ level, clock: manualClock(), write: (line) => lines.push(line), secrets });
    return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? 'null') };
  };

  it('writes one JSON object per line', () => {
    const { log, lines, last } = logger();
    log.info('scan\nstarted', {
      accounts: 5,
      nested: { list: [1, null, 'x'] },
      at: 'mine',
      level: 'mine',
      message: 'mine',
    });
    expect(lines[0]).not.toContain('\n');
    expect(last()).toEqual({
      at: '2026-03-01T12:00:00.000Z',
      level: 'info',
      message: 'scan\nstarted',
      accounts: 5,
      nested: { list: [1, null, 'x'] },
    });
  });

  it('survives a failing sink', () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const taken: string[] = [];
    let broken = true;
    const write = (line: string): void => {
      if (broken) throw full;
      taken.push(line);
    };
    const log = jsonLogger({ level: 'debug', clock: manualClock(), write });
    expect(() => log.error('lost')).not.toThrow();
    broken = false;
    log.error('kept');
    expect(taken.map((line) => JSON.parse(line).message)).toEqual(['kept']);
  });

  it('omits messages below its level', () => {
    const { log, lines } = logger('warn');
    log.debug('1');
    log.info('2');
    log.warn('3');
    log.error('4');
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['3', '4']);
  });

  it('masks secret fields at any depth and keeps the others', () => {
    const { log, lines, last } = logger();
    const secret = 'hunter2hunter2';
    log.warn('x', {
      credentials: { accessKeyId: secret, secretAccessKey: secret },
      assumed: { SecretAccessKey: secret, SessionToken: secret, expiration: '2026' },
      headers: { authorization: secret, 'x-amz-security-token': secret, Cookie: [secret], accept: 'json' },
      notify: [{ webhook: { url: secret } }, { webhookUrl: secret }],
      token: secret,
      password: secret,
      nextPageToken: 'kept',
      clientToken: 'kept too',
      accountId: '123456789012',
      hasPassword: true,
    });
    expect(lines[0]).not.toContain(secret);
    expect(last()).toMatchObject({
      assumed: { expiration: '2026' },
      headers: { accept: 'json' },
      nextPageToken: 'kept',
      clientToken: 'kept too',
      accountId: '123456789012',
      hasPassword: true,
    });
  });

  it('masks secrets inside text, by pattern and by exact match', () => {
    const { log, lines } = logger('debug', ['https://chat.example.com/hook/T0P']);
    const texts = [
      'POST https://hooks.slack.com/services/T000/B000/XXXX failed',
      'GET https://user:passw0rd@example.com/x',
      'https://s3/x?X-Amz-Signature=abcdef0123&X-Amz-Security-Token=FwoGZX//tok',
      'Authorization: Bearer abcdefghijkl.mnop',
      'AWS4-HMAC-SHA256 Credential=AKIA/2026, SignedHeaders=host, Signature=0123abcdef',
      'could not reach https://chat.example.com/hook/T0P today',
    ];
    for (const text of texts) {
      log.error(text, { cause: new Error(text, { cause: text }) });
    }
    const all = lines.join('\n');
    for (const secret of ['B000', 'passw0rd', 'abcdef0123', 'FwoGZX', 'mnop', '0123abcdef', 'T0P']) {
      expect(all).not.toContain(secret);
    }
    expect(all).toContain('could not reach [redacted] today');
  });

  it('shows errors with their fields and causes', () => {
    const { log, last } = logger();
    const cause = new Error('socket closed');
    log.error('call failed', { error: Object.assign(new TypeError('no answer', { cause }), { code: 'ECONNRESET' }) });
    expect(last()).toMatchObject({
      error: {
        name: 'TypeError',
        message: 'no answer',
        code: 'ECONNRESET',
        stack: expect.stringContaining('no answer'),
        cause: { name: 'Error', message: 'socket closed' },
      },
    });
  });

  it('survives any input', () => {
    const { log, lines, last } = logger();
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    const shared = { a: 1 };
    log.info('odd', {
      circle,
      twice: [shared, shared],
      big: 12n,
      map: new Map([['k', new Set([1])]]),
      date: new Date(0),
      never: new Date(Number.NaN),
      secret: new Secret('very secret text'),
      hidden: { value: new Secret('very secret text') },
      run: () => 1,
      nothing: undefined,
      deep: range(30).reduce<unknown>((inner) => ({ inner }), 'bottom'),
    });
    expect(lines[0]).not.toContain('very secret text');
    expect(last()).toMatchObject({
      circle: { name: 'circle', self: '[circular]' },
      twice: [{ a: 1 }, { a: 1 }],
      big: '12',
      map: { k: [1] },
      date: '1970-01-01T00:00:00.000Z',
      never: null,
    });
    const trap = {
      get bad(): string {
        throw new RangeError('a trap');
      },
    };
    log.info('trapped', trap);
    expect(last()).toMatchObject({ message: 'trapped', fieldsUnreadable: 'RangeError' });
  });
});
