import { expect, test } from 'vitest';
import { startAwsWorld } from '../../support/aws-world.ts';
import { auditShape } from './audit-shapes.ts';
import { planShape } from './shapes.ts';
import { DONE, ENROLL, json, place, rollcall, spawned, world } from './support.ts';

/*
 * The other tests run most commands in the test's process. Here each command runs as users start it: it must end by itself, write its whole
 * result to a pipe, and print nothing from Node, such as a warning.
 */
const WELL = { code: 0, stderr: '' };

test('each command ends by itself, and writes its whole result to a pipe', { timeout: 120_000 }, async () => {
  const { env, running } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const call = (...args: string[]) => spawned([...args, '--json'], { cwd, env });
  const ends = async (code: number, ...args: string[]): Promise<unknown> => {
    const result = await call(...args);
    expect([args, result.stderr, result.code]).toEqual([args, '', code]);
    return json(result);
  };
  const together = (...commands: (readonly string[])[]) => Promise.all(commands.map((args) => ends(0, ...args)));

  const plan = planShape.parse(await ends(2, 'plan'));
  await ends(0, 'apply', '--yes');
  const [listed] = await together(['audit', 'list', '--limit', '5'], ['status']);
  const id = running.info.managementAccountId;
  const [entry] = auditShape.parse(listed).entries;
  await together(
    ...[['account', id], ['plan'], ['doctor'], ['dlq', 'list']],
    ...[
      ['policy', 'validate'],
      ['policy', 'explain', id],
      ['policy', 'schema'],
      ['policy', 'init', '--out', 'own.yaml'],
    ],
    ...[
      ['audit', 'show', entry?.id ?? ''],
      ['audit', 'verify'],
      ['audit', 'report'],
      ['audit', 'as-of', '1m'],
    ],
  );
  expect(await call('audit', 'export')).toMatchObject(WELL);
  await ends(1, 'approve', plan.planHash);
  for (const args of [['halt'], ['unhalt'], ['suspend', id], ['resume', id], ['backup', 'b.db']])
    await ends(0, ...args);
  expect(await call('restore', 'b.db', '--yes')).toMatchObject({ code: 0 });
  await ends(1, 'dlq', 'redrive', 'nothing');
  await ends(1, 'policy', 'test', '--expectations', 'none.yaml');
  expect(await spawned(['unhalt'], { cwd })).toMatchObject({ code: 0, stderr: DONE });
  expect(await spawned(['--version'], { cwd })).toMatchObject(WELL);
});

test('--store aws: a process ends by itself and prints the same as a command in the test', {
  timeout: 120_000,
}, async () => {
  const { env } = await startAwsWorld({ accounts: 12, drift: 0.3, seed: 3 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const aws = (...args: string[]) => [...args, '--store', 'aws', '--json'];
  const planned = await spawned(aws('plan'), { cwd, env });
  expect(planned).toMatchObject({ code: 2, stderr: '' });
  expect(planShape.parse(json(planned)).changes).toEqual(
    planShape.parse(json(await rollcall(aws('plan'), { cwd, env }))).changes,
  );
  expect(await spawned(aws('apply', '--yes', '--wait', '1s'), { cwd, env })).toMatchObject(WELL);
  expect(await spawned(aws('status'), { cwd, env })).toMatchObject(WELL);
});
