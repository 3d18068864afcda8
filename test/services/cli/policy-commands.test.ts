import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainShape, initShape, validateShape } from './shapes.ts';
import { ENROLL, expectRefusal, json, place, rollcall, world } from './support.ts';

describe('policy', () => {
  test('init describes the organization so that there is no drift, and does not overwrite', async () => {
    const { env } = await world({ accounts: 25 });
    const cwd = place();
    const made = await rollcall(['policy', 'init', '--json'], { cwd, env });
    expect(made.code).toBe(0);
    const inited = initShape.parse(json(made));
    expect(readFileSync(join(cwd, 'rollcall.yaml'), 'utf8')).toBe(inited.policy);
    const named = ['--member-role', 'Other', '--external-id', '0815', '--out', 'named.yaml'];
    expect(await rollcall(['policy', 'init', ...named], { cwd, env })).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, 'named.yaml'), 'utf8')).toContain('\n  memberRole: "Other"\n  externalId: "0815"\n');
    rmSync(join(cwd, 'named.yaml'));
    const bad = await rollcall(['policy', 'init', '--external-id', 'a: b', '--out', 'named.yaml'], { cwd, env });
    expectRefusal(bad, cwd, ['rollcall.yaml'], '--external-id', 'expected an external id');
    const [valid, plan, stdout, again] = await Promise.all([
      rollcall(['policy', 'validate', '--json'], { cwd }),
      rollcall(['plan'], { cwd, env }),
      rollcall(['policy', 'init', '--out', '-'], { cwd, env }),
      rollcall(['policy', 'init'], { cwd, env }),
    ]);
    expect(validateShape.parse(json(valid)).findings).toEqual([]);
    expect(plan.code, plan.stdout).toBe(0);
    expect(stdout.stdout).toBe(inited.policy);
    expectRefusal(again, cwd, ['rollcall.yaml'], 'already exists');
  });

  test('validate says that there is no scan to compare with; explain accepts an exact name after a scan', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const note = 'note: not compared with the organization: no scan yet (rollcall scan)';
    const account = running.sandbox.accounts().find(({ state }) => state === 'ACTIVE');
    const name = account?.name ?? '';
    expect((await rollcall(['policy', 'validate'], { cwd })).stderr).toContain(note);
    const early = await rollcall(['policy', 'explain', name], { cwd, env });
    expect(early.stderr).toContain('account names are not known, because there is no scan yet');
    expect((await rollcall(['scan'], { cwd, env })).code).toBe(2);
    expect((await rollcall(['policy', 'validate'], { cwd })).stderr).not.toContain('not compared');
    const explained = await rollcall(['policy', 'explain', name], { cwd, env });
    expect(explained.stdout, explained.stderr).toContain(`  ${name}  `);
    // A field that defaults decide has a value, even if nothing manages it.
    expect(explained.stdout).toContain('  costOptimizationHub: unmanaged (defaults)\n');
  });

  test('explain reads AWS if there is no scan; an unknown account is rejected', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const id = running.info.managementAccountId;
    const [known, unknown] = await Promise.all([
      rollcall(['policy', 'explain', id, '--json'], { cwd, env }),
      rollcall(['policy', 'explain', '111111111111'], { cwd, env }),
    ]);
    expect(explainShape.parse(json(known))).toMatchObject({ account: { id, management: true }, snapshotAt: null });
    expectRefusal(unknown, cwd, ['rollcall.yaml'], 'Account 111111111111 is not in organization o-');
  });

  test('schema prints one JSON Schema', async () => {
    const result = await rollcall(['policy', 'schema'], { cwd: place() });
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      $schema: expect.stringContaining('json-schema.org'),
      type: 'object',
    });
  });
});
