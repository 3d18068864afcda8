import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** The output of a function in its own process, because a test cannot intercept the output of Powertools. */
function written(script: string): Record<string, unknown>[] {
  const code = `
    import { lambdaLogger } from './shared/adapters/aws/lambda/logger.ts';
    import { lambdaMetrics } from './shared/adapters/aws/lambda/metrics.ts';
    const options = { service: 'worker', stage: 'prod', level: 'info', monitoring: 'full' };
    ${script}`;
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], {
    encoding: 'utf8',
    env: {},
  });
  expect(run.status).toBe(0);
  // Powertools writes warnings and errors to stderr; Lambda joins both streams.
  return `${run.stdout}${run.stderr}`
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe('log lines', () => {
  it('are JSON, and contain their run id, even if runs are concurrent', () => {
    const lines = written(`
      const logger = lambdaLogger(options);
      const { promise: bothBegun, resolve } = Promise.withResolvers();
      const begun = [];
      const one = (runId) => logger.within({ runId }, async () => {
        logger.info('begun');
        if (begun.push(runId) === 2) resolve();
        await bothBegun;
        logger.warn('ended', { accountId: '111122223333', message: 'in words' });
      });
      await logger.within({ requestId: 'q' }, () => Promise.all([one('A'), one('B')]));
      logger.debug('not written');
      logger.warn('outside');
    `);
    expect(lines.map(({ message, runId, requestId }) => [message, runId, requestId])).toEqual([
      ['begun', 'A', 'q'],
      ['begun', 'B', 'q'],
      ['ended', 'A', 'q'],
      ['ended', 'B', 'q'],
      ['outside', undefined, undefined],
    ]);
    expect(lines[2]).toMatchObject({
      level: 'WARN',
      service: 'worker',
      stage: 'prod',
      accountId: '111122223333',
      detail: 'in words',
    });
  });

  it('hide secrets', () => {
    const [line] = written(`
      lambdaLogger(options).error('to https://hooks.slack.com/services/T0/B0/xyz', { externalId: 'hush', error: new Error('Bearer abcdefghijk') });
    `);
    expect(JSON.stringify(line)).not.toMatch(/xyz|hush|abcdefghijk/);
    expect(line).toMatchObject({ error: { name: 'Error' } });
  });
});

describe('metrics', () => {
  it('are one line per flush in the embedded metric format, by function and stage', () => {
    const lines = written(`
      const metrics = lambdaMetrics(options);
      metrics.flush();
      metrics.add('QueueLatency', 250);
      metrics.add('QueueLatency', 350);
      metrics.add('ChangesMade', 2);
      metrics.add('ScanAge', Number.NaN);
      metrics.flush();
      metrics.add('Throttles', 0);
      metrics.flush();
      metrics.add('AccountsStalled', 0);
      metrics.flush();
    `);
    expect(lines.length).toBe(2);
    const [first, second] = lines;
    expect(first).toMatchObject({ service: 'worker', stage: 'prod', QueueLatency: [250, 350], ChangesMade: 2 });
    expect(first?.['_aws']).toMatchObject({
      CloudWatchMetrics: [
        {
          Namespace: 'Rollcall',
          Dimensions: [expect.arrayContaining(['service', 'stage'])],
          Metrics: [
            { Name: 'QueueLatency', Unit: 'Milliseconds' },
            { Name: 'ChangesMade', Unit: 'Count' },
          ],
        },
      ],
    });
    expect(second).toMatchObject({ AccountsStalled: 0 });
    expect(second).not.toHaveProperty('ChangesMade');
  });

  it.each([
    ['full', ['Calls', 'ChangesMade']],
    ['alarms', ['Calls']],
  ])('are limited to those that the monitoring %s needs', (monitoring, names) => {
    const [line] = written(`
      const metrics = lambdaMetrics({ ...options, monitoring: '${monitoring}' });
      for (const name of ['Calls', 'ChangesMade']) metrics.add(name, 1);
      metrics.flush();
    `);
    expect(Object.keys(line ?? {}).filter((name) => /^[A-Z]/.test(name))).toEqual(names);
  });

  it('are not written without monitoring', () => {
    const lines = written(`
      const metrics = lambdaMetrics({ ...options, monitoring: 'none' });
      metrics.add('Calls', 1);
      metrics.flush();
      lambdaLogger(options).info('the only line');
    `);
    expect(lines.map(({ message }) => message)).toEqual(['the only line']);
  });
});
