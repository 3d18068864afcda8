import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { account, FACET, sealAll } from '../../contract/samples.ts';
import { auditShape } from './audit-shapes.ts';
import { json, place, rollcall } from './support.ts';

const MARIA = 'arn:aws:sts::111122223333:assumed-role/Admin/maria.lopez';
const OTHER = 'arn:aws:iam::111122223333:user/maria.lopez';

/** A store with drift by each of the callers, and drift whose caller is unknown. @returns its folder, and the ids of the entries */
async function storeOf(...callers: readonly string[]) {
  const cwd = place();
  const clock = { now: () => Date.UTC(2026, 2, 2), sleep: async () => undefined };
  const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false, clock });
  const at = (n: number) => new Date(Date.UTC(2026, 2, 1, n)).toISOString();
  const drift = { before: { ...FACET, status: 'Active', verdict: 'Compliant' }, after: FACET } as const;
  const entries = sealAll(account(1), [
    ...callers.map((actor, n) => ({
      ...{ ...drift, id: `ENTRY-BY-${n}`.padStart(26, '0'), at: at(n) },
      detail: { changedBy: { actor, operation: 'UpdateEnrollmentStatus', at: at(n), requestId: 'r' } },
    })),
    { ...drift, id: 'UNKNOWN'.padStart(26, '0'), at: at(20) },
  ]);
  await store.ledger.append(entries);
  await store.close();
  return { cwd, ids: entries.map(({ id }) => id) };
}

test('audit list --changed-by lists the drift that a caller caused, by any name of the caller', async () => {
  const { cwd, ids } = await storeOf(MARIA, 'arn:aws:iam::111122223333:user/ben', MARIA);
  const list = (...args: string[]) => rollcall(['audit', 'list', ...args], { cwd });
  expect((await list()).stdout).toMatch(/ role\/Admin\/maria\.lopez /);
  const found = async (...args: string[]) =>
    auditShape.parse(json(await list('--json', ...args))).entries.map(({ id }) => id);
  for (const name of [MARIA, 'role/Admin/maria.lopez', 'Maria.Lopez'])
    expect(await found('--changed-by', name), name).toEqual([ids[2], ids[0]]);
  expect(await found('--changed-by', MARIA, '--since', '2026-03-01T01:00:00Z', '--type', 'drift detected')).toEqual([
    ids[2],
  ]);
  expect(await found('--changed-by', 'unknown')).toEqual([ids[3]]);
  const page = auditShape.parse(json(await list('--json', '--changed-by', 'maria.lopez', '--limit', '1')));
  expect(page.entries.map(({ id }) => id)).toEqual([ids[2]]);
  expect(await found('--changed-by', 'maria.lopez', '--cursor', page.next ?? '')).toEqual([ids[0]]);
  const exported = await rollcall(['audit', 'export', '--format', 'ndjson', '--changed-by', 'ben'], { cwd });
  expect(exported.stdout.trim().split('\n')).toHaveLength(1);
});

test('audit list --actor names --changed-by for a caller, which warns if it finds no drift', async () => {
  const { cwd } = await storeOf(MARIA);
  const list = (...args: string[]) => rollcall(['audit', 'list', ...args], { cwd });
  const actor = await list('--actor', 'maria.lopez');
  expect([actor.code, actor.stderr]).toEqual([0, expect.stringContaining('--changed-by "maria.lopez"')]);
  const nobody = await list('--changed-by', 'priya.raman');
  expect([nobody.code, nobody.stdout]).toEqual([0, 'No entry matches.\n']);
  expect(nobody.stderr).toContain('warning: --changed-by "priya.raman": no matching drift has a caller of this name.');
});

test('audit list --changed-by refuses other types, and a name that several callers have', async () => {
  const { cwd } = await storeOf(MARIA, OTHER);
  const list = (...args: string[]) => rollcall(['audit', 'list', '--changed-by', 'maria.lopez', ...args], { cwd });
  const twice = await list();
  expect([twice.code, twice.stderr]).toEqual([
    1,
    expect.stringMatching(/^error: --changed-by "maria\.lopez": 2 actors have this name\n {2}Use the full name: arn/),
  ]);
  const type = await list('--type', 'Halted');
  expect([type.code, type.stderr]).toEqual([
    1,
    expect.stringContaining('--changed-by selects only drift entries, so it excludes --type "Halted"'),
  ]);
});
