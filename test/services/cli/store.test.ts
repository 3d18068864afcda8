import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { auditShape, verifyShape } from './audit-shapes.ts';
import { errorShape, statusShape } from './shapes.ts';
import { backupShape, deadLetterShape, deadLettersShape, redriveShape, restoreShape } from './store-shapes.ts';
import { ENROLL, ended, expectNoStack, json, MAIN, place, refused, rollcall, said, start, world } from './support.ts';

/** A directory with a policy, and a store filled by one run. */
async function afterOneRun() {
  const { env, running } = await world();
  const cwd = place({ 'rollcall.yaml': ENROLL });
  expect(await rollcall(['apply', '--yes'], { cwd, env })).toMatchObject({ code: 0 });
  return { cwd, env, running };
}

describe('the store', () => {
  test('backup, verify of an edited ledger, and restore', async () => {
    const { cwd } = await afterOneRun();
    const call = (...args: string[]) => rollcall([...args, '--json'], { cwd });
    const before = statusShape.parse(json(await call('status')));
    expect(backupShape.parse(json(await call('backup', 'b.db')))).toEqual({ file: 'b.db', dataDir: '.rollcall' });
    const taken = await call('backup', 'b.db');
    expect(taken.code).toBe(1);
    const { code, message } = errorShape.parse(json(taken)).error;
    expect([code, message]).toEqual([
      'Exists',
      'b.db: the file already exists. Choose another name, or remove it first.',
    ]);

    const db = new DatabaseSync(join(cwd, '.rollcall/rollcall.db'));
    const target = db.prepare("SELECT chain FROM ledger WHERE type = 'DriftDetected' AND seq = 2 LIMIT 1").get();
    const chain = String(target?.['chain']);
    db.prepare(`UPDATE ledger SET body = replace(body, '"Drifted"', '"Compliant"') WHERE chain = ? AND seq = 2`).run(
      chain,
    );
    db.close();
    const [edited, text] = await Promise.all([call('audit', 'verify'), rollcall(['audit', 'verify'], { cwd })]);
    expect(edited.code).toBe(1);
    expect(verifyShape.parse(json(edited))).toMatchObject({ ok: false, fault: { kind: 'edit', chain, seq: 2 } });
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(`✗ Audit log damaged: entry 2 of ${chain} was edited after it was written`);
    expect(text.stdout).toContain(`then: rollcall audit show ${chain}#2`);

    const restored = restoreShape.parse(json(await call('restore', 'b.db', '--yes')));
    expect(restored).toMatchObject({ restored: '.rollcall/rollcall.db', from: 'b.db', merged: true });
    expect(readdirSync(join(cwd, '.rollcall'))).toContain(restored.kept?.replace('.rollcall/', ''));
    const [verify, after] = await Promise.all([call('audit', 'verify'), call('status')]);
    expect(verify.code).toBe(0);
    expect(statusShape.parse(json(after)).summary).toEqual(before.summary);
  });

  test('restoring an older backup under a halted daemon permits no change, before or after the daemon notices', async () => {
    const { cwd, env, running } = await afterOneRun();
    const call = (...args: string[]) => rollcall([...args, '--json'], { cwd, env });
    const daemon = start(['serve', '--port', '0'], { cwd, env });
    const end = ended(daemon);
    await said(daemon, ' ended: ');
    expect((await call('backup', 'b.db')).code).toBe(0);
    const members = running.sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
    const drifting = members.slice(0, 5).map(({ accountId }) => accountId);
    const [suspended = ''] = drifting;
    expect((await call('halt', '--reason', 'incident 9')).code).toBe(0);
    expect((await call('suspend', suspended, '--reason', 'freeze')).code).toBe(0);
    running.sandbox.drift({
      changes: drifting.map((accountId) => ({ accountId, enrollment: 'computeOptimizer', status: 'Inactive' })),
    });
    const statuses = () =>
      running.sandbox
        .accounts()
        .filter(({ accountId }) => drifting.includes(accountId))
        .map(({ computeOptimizer }) => computeOptimizer.status);

    // The restored store has a due scan, so the daemon detects the drift, but the halt stops it.
    const found = said(daemon, 'nothing queued: halted');
    const restored = await call('restore', 'b.db', '--yes');
    expect(restored.code, restored.stderr).toBe(0);
    const document = restoreShape.parse(json(restored));
    expect(document).toMatchObject({ merged: true, stillInForce: { suspensions: [suspended] } });
    expect(document.lost?.entries).toBeGreaterThan(0);
    expect(restored.stderr).toMatch(
      /^warning: lost: \d+ entries from .* to .*; they are in \.rollcall\/before-restore-/m,
    );
    expect(restored.stderr).toContain(`Suspensions kept from the replaced store: ${suspended}`);
    await found;
    expect(statuses()).toEqual(drifting.map(() => 'Inactive'));
    const { halted } = statusShape.parse(json(await call('status')));
    expect(halted?.reason).toMatch(
      /^restored from b\.db by [^:]+; already halted 20\S+ \d\d:\d\d UTC by [^:]+: incident 9$/,
    );
    const { entries } = auditShape.parse(json(await call('audit', 'list', '--type', 'StoreRestored')));
    expect(entries).toMatchObject([
      { chain: 'organization', detail: { restore: { file: 'b.db', replaced: { chain: 'organization' } } } },
    ]);

    const worked = said(daemon, 'worked: ');
    expect((await call('unhalt')).code).toBe(0);
    await worked;
    daemon.kill('SIGTERM');
    expect((await end).code).toBe(0);
    expect(statuses()).toEqual(drifting.map((id) => (id === suspended ? 'Inactive' : 'Active')));
    expect((await call('audit', 'verify')).code).toBe(0);
  });

  test('restore of a file that is not a backup changes nothing', async () => {
    const cwd = place({ 'no.db': 'no database' });
    expect(await refused(['restore', join(cwd, 'no.db'), '--data-dir', join(cwd, 'data')])).toContain('no.db');
    expect(await refused(['restore', join(cwd, 'gone.db'), '--data-dir', join(cwd, 'data')])).toContain(
      'no such backup',
    );
    expect(readdirSync(cwd)).toEqual(['no.db']);
  });

  test('verify detects entries removed from the end of a chain', async () => {
    const { cwd } = await afterOneRun();
    const db = new DatabaseSync(join(cwd, '.rollcall/rollcall.db'));
    db.exec("DELETE FROM ledger WHERE position = (SELECT max(position) FROM ledger WHERE chain = 'organization')");
    db.close();
    const result = await rollcall(['audit', 'verify', '--json'], { cwd });
    expect(result.code).toBe(1);
    expect(verifyShape.parse(json(result)).fault).toMatchObject({ kind: 'truncation', chain: 'organization' });
  });

  test('dead letters can be listed, shown and redriven', async () => {
    const { cwd, env } = await afterOneRun();
    const store = await openStore({ dataDir: join(cwd, '.rollcall'), readOnly: false });
    const accountId = '123456789012';
    const message = {
      v: 1,
      kind: 'account',
      policyHash: 'x',
      runId: 'r',
      planHash: null,
      accountId,
      enrollment: 'automation',
    } as const;
    await store.queue.send([message]);
    const [delivery] = await store.queue.receive(1, 1_000);
    if (delivery === undefined) throw new Error('nothing was received');
    await store.queue.deadLetter(delivery, { code: 'AccessDenied', message: 'no such role', entryId: null });
    await store.close();

    const list = await rollcall(['dlq', 'list', '--json'], { cwd });
    const [letter] = deadLettersShape.parse(json(list)).deadLetters;
    expect(letter).toMatchObject({ message, reason: { code: 'AccessDenied' } });
    const id = letter?.id ?? '';
    const [show, text, status, unknown, unknownShow] = await Promise.all([
      rollcall(['dlq', 'show', id, '--json'], { cwd }),
      rollcall(['dlq', 'list'], { cwd }),
      rollcall(['status', '--json'], { cwd }),
      rollcall(['dlq', 'redrive', 'nothing'], { cwd }),
      rollcall(['dlq', 'show', 'nothing'], { cwd }),
    ]);
    expect(deadLetterShape.parse(json(show))).toEqual(letter);
    expect(text.stdout).toMatch(/ 123456789012 +Automation +\d+s +no such role$/m);
    expect(text.stdout).toContain(`1 dead letter. After fixing the cause: rollcall dlq redrive ${id.slice(-8)}`);
    expect(statusShape.parse(json(status)).queue.dead).toBe(1);
    expect(status.code).toBe(3);
    for (const result of [unknown, unknownShow]) {
      expect(result).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr).toContain('no dead letter nothing');
    }
    // Nothing else is open: only the dead letter of an earlier run causes exit code 3.
    const still = await rollcall(['apply', '--yes'], { cwd, env });
    expect(still).toMatchObject({ code: 3 });
    expect(still.stdout).toContain('Needs attention: 1 dead letter (work that was given up).');
    const back = await rollcall(['dlq', 'redrive', '--all', '--json'], { cwd });
    expect(back.code).toBe(0);
    expect(redriveShape.parse(json(back))).toEqual({ redriven: [id], left: [] });
    // The message is for a policy that is no longer in force, so the next run drops it.
    expect(await rollcall(['apply', '--yes'], { cwd, env })).toMatchObject({ code: 0 });
    const after = statusShape.parse(json(await rollcall(['status', '--json'], { cwd })));
    expect(after.queue).toEqual({ visible: 0, inFlight: 0, dead: 0 });
  });

  test('an unknown account, and an invalid cursor', async () => {
    const { cwd } = await afterOneRun();
    const [account, cursor] = await Promise.all([
      rollcall(['account', '111111111111'], { cwd }),
      rollcall(['audit', 'list', '--cursor', 'xyz'], { cwd }),
    ]);
    expect(account).toMatchObject({ code: 1, stdout: '' });
    expect(account.stderr).toContain('account 111111111111 is not known in o-');
    expect(cursor).toMatchObject({ code: 1, stdout: '' });
    expect(cursor.stderr).toContain('--cursor');
    // A closed pipe (`| head`) is not an error, and neither is an invalid policy for a command that only reads.
    writeFileSync(join(cwd, 'rollcall.yaml'), 'version: 2\n');
    const [id = ''] =
      (await rollcall(['audit', 'list', '--limit', '1', '--type', 'AccountJoined', '--json'], { cwd })).stdout.match(
        /(?<="accountId":")\d{12}/,
      ) ?? [];
    const looked = await rollcall(['account', id], { cwd });
    expect(looked.code).toBe(0);
    expect(looked.stderr).toContain('continuing without a policy');
    const piped = await ended(
      spawn(
        'sh',
        ['-c', `{ "${process.execPath}" "${MAIN}" audit list --limit 100000; echo "ended $?" >&2; } | head -c 10`],
        { cwd },
      ),
    );
    expect(piped.stdout).toHaveLength(10);
    expect(piped.stderr).toContain('ended 0');
    expectNoStack(piped);
  });
});
