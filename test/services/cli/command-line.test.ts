import { describe, expect, test } from 'vitest';
import { listenForInterrupts } from '../../../services/cli/interrupt.ts';
import { parse } from '../../../services/cli/program.ts';
import { countArgument, durationArgument, instantArgument, numberArgument } from '../../../shared/config/arguments.ts';
import { useSandboxOnly } from '../../../shared/config/aws-environment.ts';

describe('arguments', () => {
  test('durations, counts, numbers, instants', () => {
    expect(['0ms', '60s', '1h30m', '1.5s', '7d'].map((text) => durationArgument('--x', text))).toEqual([
      0, 60_000, 5_400_000, 1_500, 604_800_000,
    ]);
    for (const text of ['', '60', '-1s', '1 s', '1w', 's']) expect(() => durationArgument('--x', text)).toThrow('--x');
    expect(countArgument('--n', '5', { min: 1, max: 5 })).toBe(5);
    for (const text of ['0', '6', '1e2', '1.5', '', ' 1'])
      expect(() => countArgument('--n', text, { min: 1, max: 5 })).toThrow('--n');
    expect(numberArgument('--r', '0.25', { min: 0, max: 1 })).toBe(0.25);
    for (const text of ['1.1', '-0.1', 'NaN', '.5'])
      expect(() => numberArgument('--r', text, { min: 0, max: 1 })).toThrow('--r');
    const now = Date.parse('2026-03-01T12:00:00Z');
    const instants = ['24h', '2026-02-28', '2026-02-28T10:00:00+02:00'].map((text) =>
      instantArgument('--since', text, now),
    );
    expect(instants).toEqual(['2026-02-28T12:00:00.000Z', '2026-02-28T00:00:00.000Z', '2026-02-28T08:00:00.000Z']);
    for (const text of [
      'yesterday',
      '2026-13-01',
      '2026-02-30',
      '2026-02-28T25:00:00Z',
      '2026-02-28T10:00',
      '99999999d',
    ])
      expect(() => instantArgument('--since', text, now)).toThrow('--since');
  });

  test('global options can stand anywhere', () => {
    const writers = { write: () => undefined };
    const flags = {
      ...{ json: true, quiet: false, store: 'embedded', dataDir: 'd', verbose: true, color: false },
      storeWords: ['--data-dir', 'd'],
    };
    const typed = [
      ['--json', '--data-dir', 'd', '--verbose', '--no-color', 'audit', 'list'],
      ['audit', '--json', '--data-dir=d', 'list', '--verbose', '--no-color'],
      ['audit', 'list', '--type', 'ScanStarted', '--no-color', '--verbose', '--data-dir', 'd', '--json'],
    ];
    for (const args of typed) expect(parse(args, writers).flags).toEqual(flags);
  });
});

describe('interrupts', () => {
  const rig = (twice = false) => {
    const handlers: ((signal: 'SIGINT' | 'SIGTERM') => void)[] = [];
    const exits: number[] = [];
    const timers: { readonly ms: number; readonly run: () => void }[] = [];
    const time = { now: 0 };
    const source = { on: (_event: string, handler: (signal: 'SIGINT' | 'SIGTERM') => void) => handlers.push(handler) };
    const interrupt = listenForInterrupts(source, {
      now: () => time.now,
      exit: (code) => exits.push(code),
      later: (ms, run) => timers.push({ ms, run }),
      twice,
    });
    const send = (signal: 'SIGINT' | 'SIGTERM'): void => handlers[0]?.(signal);
    return { interrupt, exits, time, timers, send };
  };

  test('end a command that has no work to finish', () => {
    const { exits, send } = rig();
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  test('the first one requests a graceful end, and the second one exits, however soon it follows', () => {
    const { interrupt, exits, send } = rig();
    const notes: string[] = [];
    interrupt.finishGracefully(() => notes.push('stopping'));
    send('SIGINT');
    expect([notes, exits, interrupt.signal.aborted]).toEqual([['stopping'], [], true]);
    send('SIGINT');
    expect([notes, exits]).toEqual([['stopping'], [130]]);
  });

  test.each([
    ['soon', 100],
    ['late', 400],
  ])('under npm, the copy of the first one does not count, and a second one that comes %s exits', (_when, ms) => {
    const { interrupt, exits, time, send } = rig(true);
    interrupt.finishGracefully(() => undefined);
    send('SIGINT');
    time.now = 10;
    send('SIGINT');
    expect(exits).toEqual([]);
    time.now = ms;
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  test('under npm, the second one counts even if no copy of the first one came', () => {
    const { interrupt, exits, time, send } = rig(true);
    interrupt.finishGracefully(() => undefined);
    send('SIGINT');
    time.now = 400;
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  test('the process exits when its time to finish is over', () => {
    const { interrupt, exits, timers, send } = rig();
    const notes: string[] = [];
    const end = (): number => {
      notes.push('not in time');
      return 0;
    };
    interrupt.finishGracefully(() => notes.push('stopping'), { ms: 25_000, end });
    expect(timers).toEqual([]);
    send('SIGTERM');
    expect([notes, exits, timers.map(({ ms }) => ms)]).toEqual([['stopping'], [], [25_000]]);
    timers[0]?.run();
    expect([notes, exits]).toEqual([['stopping', 'not in time'], [0]]);
  });

  test('SIGTERM exits 143', () => {
    const { interrupt, send } = rig();
    interrupt.finishGracefully(() => undefined);
    send('SIGTERM');
    expect(interrupt.exitCode).toBe(143);
  });
});

test('the demo removes all AWS settings of the machine, and does not sign with a real key', () => {
  const env: Record<string, string | undefined> = {
    AWS_PROFILE: 'prod',
    AWS_ENDPOINT_URL_STS: 'https://real',
    ROLLCALL_CHECKPOINT_KEY: 'awskms:alias/real',
    PATH: '/bin',
  };
  useSandboxOnly(env, { endpoint: 'http://x', accountId: '1', nowhere: '/n' });
  expect(env['AWS_PROFILE']).toBeUndefined();
  expect(env['AWS_ENDPOINT_URL_STS']).toBeUndefined();
  expect(env['ROLLCALL_CHECKPOINT_KEY']).toBeUndefined();
  expect(env).toMatchObject({ PATH: '/bin', AWS_ENDPOINT_URL: 'http://x', AWS_ACCESS_KEY_ID: '1' });
});
