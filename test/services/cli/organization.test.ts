import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { ORGANIZATION } from '../../../shared/app/coordination/organization-binding.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { doctorShape, errorShape } from './shapes.ts';
import { ENROLL, json, place, rollcall, world } from './support.ts';

/** Everything that a refused command must not change. */
async function contentOf(cwd: string) {
  const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: true });
  try {
    const ends = [];
    for await (const page of store.ledger.ends()) ends.push(...page);
    return { ends, registers: await store.registers.list(''), facts: await store.snapshots.load() };
  } finally {
    await store.close();
  }
}

/** A store of one organization, and the credentials of another. */
async function twoOrganizations() {
  const [first, second] = [await world({ seed: 3 }), await world({ seed: 4 })];
  const [ours, theirs] = [first.running.info.organizationId, second.running.info.organizationId];
  expect(ours).not.toBe(theirs);
  const cwd = place({ 'rollcall.yaml': ENROLL });
  expect((await rollcall(['apply', '--yes'], { cwd, env: first.env })).code).toBe(0);
  return { cwd, first, second, ours, theirs };
}

describe('a store of one organization, and credentials of another', () => {
  test('every command that reads AWS fails, names both organizations, and writes nothing', async () => {
    const { cwd, second, ours, theirs } = await twoOrganizations();
    const before = await contentOf(cwd);
    const commands = [['plan'], ['apply', '--yes'], ['serve', '--port', '0'], ['policy', 'init', '--out', '-']];
    for (const command of commands) {
      const refused = await rollcall([...command, '--json'], { cwd, env: second.env });
      expect([command, refused.code]).toEqual([command, 1]);
      const { error } = errorShape.parse(json(refused));
      expect(error.code).toBe('OtherOrganization');
      expect(error.message).toContain(
        `is for ${ours}, the credentials are for ${theirs}. Fix: use credentials of ${ours}`,
      );
      expect(error.message).toContain('--data-dir');
    }
    expect(await contentOf(cwd)).toEqual(before);
  });

  test('doctor fails, and passes with the right credentials', async () => {
    const { cwd, first, second, ours, theirs } = await twoOrganizations();
    const look = async (env: Readonly<Record<string, string>>) => {
      const result = await rollcall(['doctor', '--json'], { cwd, env });
      const { checks } = doctorShape.parse(json(result));
      return { code: result.code, found: checks.find(({ check }) => check === 'storeOrganization') };
    };
    expect(await look(first.env)).toMatchObject({ code: 0, found: { status: 'pass' } });
    const { code, found } = await look(second.env);
    expect(code).toBe(1);
    expect(found).toMatchObject({ status: 'fail', reason: 'wrong' });
    expect(found?.message).toContain(`belongs to organization ${ours}, but the credentials belong to ${theirs}`);
  });

  test('an unbound store is recognized by its snapshot, and bound by the first command that may write', async () => {
    const { cwd, first, second } = await twoOrganizations();
    const db = new DatabaseSync(join(cwd, '.rollcall/rollcall.db'));
    db.prepare('DELETE FROM registers WHERE name = ?').run(ORGANIZATION.name);
    db.close();
    const bound = async () =>
      (await contentOf(cwd)).registers.find(({ name }) => name === ORGANIZATION.name)?.value ?? null;
    expect((await rollcall(['apply', '--yes'], { cwd, env: second.env })).code).toBe(1);
    expect(await bound()).toBeNull();
    expect((await rollcall(['plan'], { cwd, env: first.env })).code).toBe(0);
    expect(await bound()).toBeNull();
    expect((await rollcall(['apply', '--yes'], { cwd, env: first.env })).code).toBe(0);
    expect(await bound()).toMatchObject({ organizationId: first.running.info.organizationId });
  });
});
