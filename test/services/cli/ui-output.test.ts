import { describe, expect, test } from 'vitest';
import { reportOf } from '../../../services/cli/errors.ts';
import { Output } from '../../../services/cli/ui/output.ts';
import { progressMode } from '../../../services/cli/ui/progress.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { CloudError, type CloudErrorDetails } from '../../../shared/ports/cloud.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { streams } from './support.ts';

describe('colour', () => {
  const flags = { json: false, store: 'embedded', dataDir: '.rollcall', verbose: false, color: true };

  test.each([
    [{}, true, 'auto'],
    [{ NO_COLOR: '1' }, true, 'never'],
    [{ NO_COLOR: '' }, true, 'auto'],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, 'always'],
    [{ FORCE_COLOR: '0' }, true, 'never'],
    [{ FORCE_COLOR: '' }, true, 'auto'],
    [{ FORCE_COLOR: '1' }, false, 'never'],
    [{ TERM: 'dumb' }, true, 'never'],
  ])('%o, --no-color %s: %s', (env, color, expected) => {
    expect(readConfig({ ...flags, color }, env).color).toBe(expected);
  });

  test('is used on a terminal only, unless forced', () => {
    const paint = (color: 'auto' | 'always' | 'never', columns?: number): string => {
      const { written, out, err } = streams(columns);
      const output = new Output(out, err, { json: false, color });
      output.print(output.style('red', 'x'));
      return written.out.trimEnd();
    };
    expect([paint('auto'), paint('auto', 80), paint('always'), paint('never', 80)]).toEqual([
      'x',
      '\u001b[31mx\u001b[39m',
      '\u001b[31mx\u001b[39m',
      'x',
    ]);
  });

  test('a live display is used only if the terminal can draw it', () => {
    const output = (columns?: number): Output => {
      const { out, err } = streams(columns);
      return new Output(out, err, { json: false, color: 'never' });
    };
    const config = { json: false, verbose: false, drawable: true };
    expect(progressMode(output(80), config)).toBe('live');
    expect(progressMode(output(80), { ...config, drawable: false })).toBe('lines');
    expect(progressMode(output(80), { ...config, verbose: true })).toBe('lines');
    expect(progressMode(output(), config)).toBe('lines');
    expect(progressMode(output(80), { ...config, json: true })).toBe('off');
  });
});

describe('symbols', () => {
  const flags = { json: false, store: 'embedded', dataDir: '.rollcall', verbose: false, color: true };

  test.each([
    [{}, true],
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, false],
    [{ LANG: 'en_US.UTF-8', LC_CTYPE: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'C', LC_ALL: '', LC_CTYPE: 'C.UTF-8' }, true],
  ])('%o: outside ASCII %s', (env, expected) => {
    expect(readConfig(flags, env).unicode).toBe(expected);
  });

  test('are plain in another locale, and columns stay aligned', () => {
    const { written, out, err } = streams(80);
    const output = new Output(out, err, { json: false, color: 'never', unicode: false });
    output.print('✓ Store      ok · fine – yes…');
    output.print('Inactive → Active    9h 4m  x');
    output.note('✗ ███░░');
    expect(written).toEqual({
      out: 'ok Store     ok | fine - yes...\nInactive -> Active   9h 4m  x\n',
      err: 'x ###..\n',
    });
  });
});

test('with --quiet, nothing says what to do next', () => {
  const { written, out, err } = streams(80);
  const output = new Output(out, err, { json: false, color: 'never', quiet: true });
  output.print('107 open drifts in 72 accounts.');
  output.print('Next: rollcall plan');
  output.print('  Next: rollcall status');
  expect(written.out).toBe('107 open drifts in 72 accounts.\n');
});

describe('width', () => {
  test.each([
    [20, 40],
    [80, 80],
    [200, 160],
    [0, 80],
  ])('a terminal with %i columns: %i', (columns, expected) => {
    const { out, err } = streams(columns);
    const output = new Output(out, err, { json: false, color: 'never' });
    expect([output.width, output.noteWidth, output.layoutWidth]).toEqual([expected, expected, expected]);
  });

  test('a pipe has no width, and the layout of 120 columns', () => {
    const { out, err } = streams();
    const output = new Output(out, err, { json: false, color: 'never' });
    expect([output.width, output.noteWidth, output.layoutWidth]).toEqual([null, null, 120]);
  });
});

describe('output', () => {
  test('a failed stream is not written to again, and only a lost result is reported', () => {
    const { written, out, err } = streams();
    const listeners: ((error: Error) => void)[] = [];
    const listening = (stream: typeof out) => ({
      ...stream,
      on: (_event: 'error', listener: (error: Error) => void) => listeners.push(listener),
    });
    const output = new Output(listening(out), listening(err), { json: false, color: 'never' });
    output.print('one');
    listeners[0]?.(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    output.print('two');
    output.note('three');
    expect(written).toEqual({ out: 'one\n', err: 'three\n' });
    expect(output.unread.aborted).toBe(false);
    listeners[1]?.(Object.assign(new Error('full'), { code: 'EBADF' }));
    expect(output.unread.aborted).toBe(true);
    expect(output.lostResult).toBeNull();
    const other = new Output(listening(out), listening(err), { json: false, color: 'never' });
    listeners[2]?.(Object.assign(new Error('odd'), { code: 'EBADF' }));
    expect(other.lostResult).toBe('EBADF');
  });
});

test.each<[string, Partial<CloudErrorDetails>, string]>([
  ['a rejected page token', { kind: 'Invalid', code: 'InvalidInputException' }, 'The listing is incomplete'],
  ['endless throttling', { kind: 'Throttled', code: 'TooManyRequestsException' }, 'then run the command again'],
  ['an internal error of AWS', { kind: 'Transient', code: 'ServiceException' }, 'Run the command again later'],
  ['a rejected key', { kind: 'Unauthenticated', code: 'SignatureDoesNotMatch' }, 'AWS_REGION'],
])('%s is reported with what to do', (_name, over, words) => {
  const details: CloudErrorDetails = {
    ...{ kind: 'Invalid', code: '', service: 'organizations', operation: 'ListAccounts', accountId: null },
    ...{ requestId: 'r-1', ambiguous: false },
    ...over,
  };
  const { message } = reportOf(new CloudError('ListAccounts failed.', details));
  expect(message).toMatch(/^ListAccounts failed\. [A-Z]/);
  expect(message).toContain(words);
});

test('an unexpected error is reported as internal, without its stack', () => {
  const report = reportOf(new TypeError('x is not a function'));
  expect(report).toMatchObject({ code: 'Internal' });
  expect(report.message).toContain('x is not a function');
  expect(report.message).toContain('--verbose');
  const full = new StoreError({
    code: 'DiskFull',
    resource: '/d',
    found: 'the disk is full',
    remedy: 'Free some space.',
  });
  expect(reportOf(full)).toEqual({ code: 'DiskFull', message: '/d: the disk is full. Free some space.' });
});
