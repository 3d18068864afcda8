import { describe, expect, test } from 'vitest';
import { applyExit } from '../../../services/cli/commands/apply.ts';
import { acquireLease } from '../../../shared/app/coordination/lease.ts';
import type { OpenClaim } from '../../../shared/app/queries/open-claims.ts';
import type { OpenChange } from '../../../shared/app/runtime/conclude-run.ts';
import type { Outage } from '../../../shared/app/support/outage-detector.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { systemClock } from '../../../shared/compose/system.ts';
import { auditShape, showShape } from './audit-shapes.ts';
import { applyShape, errorShape } from './shapes.ts';
import { called, DONE, ENROLL, ended, json, place, rollcall, said, start, world } from './support.ts';

describe('after a process was killed', () => {
  test('apply does not report success while a change is claimed, and shows when the claim expires', async () => {
    const { env, running } = await world({ accounts: 12, drift: 0 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const member = running.sandbox.accounts().find(({ management, state }) => !management && state === 'ACTIVE');
    const accountId = member?.accountId ?? '';
    const become = (status: 'Active' | 'Inactive') =>
      running.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status }] });
    become('Inactive');
    running.sandbox.setFaults([{ operation: 'UpdateEnrollmentStatus', kind: 'slow', delayMs: 60_000 }]);
    const changing = called(running, 'UpdateEnrollmentStatus');
    const child = start(['apply', '--yes'], { cwd, env });
    const end = ended(child);
    await changing;
    child.kill('SIGKILL');
    await end;
    running.sandbox.setFaults([]);
    // The accounts themselves now comply.
    become('Active');

    const [document, text] = [
      await rollcall(['apply', '--yes', '--wait', '1s', '--json'], { cwd, env }),
      await rollcall(['apply', '--yes', '--wait', '1s'], { cwd, env }),
    ];
    expect(document.code).toBe(3);
    const run = applyShape.parse(json(document));
    expect(run.claimed).toMatchObject([
      { accountId, enrollment: 'computeOptimizer', operation: 'UpdateEnrollmentStatus' },
    ]);
    expect(Date.parse(run.claimed[0]?.until ?? '')).toBeGreaterThan(Date.now());
    expect(text.code).toBe(3);
    expect(text.stdout).toContain(
      `Outcome not known yet: 1 change that a process started and did not finish, for example UpdateEnrollmentStatus for ${accountId}`,
    );
    expect(text.stdout).not.toContain('comply');
  });
});

/** A process that waits for the lease to expire never ends in this test. */
const LONG_MS = 24 * 3_600_000;

describe('waiting for another process’s scan', () => {
  test('ends with the first Ctrl-C', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const store = await openStore({ dataDir: `${cwd}/.rollcall`, readOnly: false });
    expect(await acquireLease(store.registers, systemClock, 'scan', 'somebody', LONG_MS)).toHaveProperty('lease');
    await store.close();
    const child = start(['apply', '--yes'], { cwd, env });
    const end = ended(child);
    await said(child, 'waiting for another scan to finish');
    child.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted: stopped before anything was changed.');
  });
});

describe('how a run ends', () => {
  const open: OpenChange = {
    ...{ accountId: '111122223333', accountName: 'a', ou: '/', enrollment: 'computeOptimizer', verdict: 'Converging' },
    ...{ reason: 'acted', status: 'In progress', message: null, notBefore: null },
  };
  const lost = { since: Date.UTC(2026, 10, 22), message: 'GetEnrollmentStatus failed (ECONNREFUSED).' };
  const claim: OpenClaim = {
    ...{ accountId: '111122223333', enrollment: 'automation', operation: 'AssociateAccounts' },
    until: '2026-11-22T01:00:00.000Z',
  };
  const left = (over: {
    open?: OpenChange[];
    claimed?: OpenClaim[];
    deadLetters?: number;
    notStarted?: number;
    unreachable?: Outage;
    isLimited?: boolean;
  }) => ({
    ...{ open: [], claimed: [], deadLetters: 0, notStarted: 0, unreachable: null, isLimited: false },
    ...over,
  });
  const exitOf = (over: Parameters<typeof left>[0]) => {
    const { open: opened, claimed, deadLetters, notStarted, unreachable, isLimited } = left(over);
    const changes = {
      attempted: 1,
      succeeded: 0,
      failed: 0,
      blocked: 0,
      converging: opened.filter(({ verdict }) => verdict === 'Converging').length,
    };
    const plan = { trip: null, coverage: { listed: 1, evaluated: 1, unknown: 0, notApplicable: 0 }, broken: [] };
    const result = { plan, planned: { notStarted }, changes, open: opened, stopped: null, interrupted: false };
    return applyExit({ result, claimed, deadLetters, unreachable }, isLimited, 130);
  };
  test('exits 1 if AWS is unreachable, unless nothing is open', () => {
    expect(exitOf({ open: [open] })).toBe(0);
    expect(exitOf({ open: [open], unreachable: lost })).toBe(1);
    expect(exitOf({ unreachable: lost })).toBe(0);
  });

  test('exits 3 if changes were not started, because another process has their messages', () => {
    expect(exitOf({ notStarted: 1 })).toBe(3);
  });

  test('exits 3 if there are dead letters, even of an earlier run', () => {
    expect(exitOf({ deadLetters: 1 })).toBe(3);
    expect(exitOf({})).toBe(0);
  });

  test('exits 3 if drift is left, unless the policy only alerts about it or a saved plan does not name it', () => {
    const drift: OpenChange = { ...open, verdict: 'Drifted', reason: 'ruleModeDiffers', status: 'Drifted' };
    expect(exitOf({ open: [drift] })).toBe(3);
    expect(exitOf({ open: [{ ...drift, reason: 'alertOnly' }] })).toBe(0);
    expect(exitOf({ open: [drift], isLimited: true })).toBe(0);
  });

  test('exits 3 if a claim is open', () => {
    expect(exitOf({ claimed: [claim] })).toBe(3);
  });
});

describe('audit show', () => {
  test('shows one entry in full with its neighbours, by id and by position; an unknown one is an error', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    expect(await rollcall(['apply', '--yes'], { cwd, env })).toMatchObject({ code: 0 });
    const list = auditShape.parse(
      json(await rollcall(['audit', 'list', '--type', 'DriftDetected', '--json'], { cwd })),
    );
    const [wanted] = list.entries;
    const id = wanted?.id ?? '';
    const [byId, byPlace, text, none, bad] = await Promise.all([
      rollcall(['audit', 'show', id, '--json'], { cwd }),
      rollcall(['audit', 'show', `${wanted?.chain}#1`, '--json'], { cwd }),
      rollcall(['audit', 'show', id], { cwd }),
      rollcall(['audit', 'show', id.replace(/^./, '0').replace(/.{10}$/, '0000000000'), '--json'], { cwd }),
      rollcall(['audit', 'show', 'organization#999999'], { cwd }),
    ]);
    const shown = showShape.parse(json(byId));
    expect(shown.entry).toEqual(wanted);
    expect(shown.verification).toMatchObject({
      ok: true,
      faults: [],
      previous: { seq: (wanted?.seq ?? 0) - 1 },
      next: { seq: (wanted?.seq ?? 0) + 1 },
    });
    expect(showShape.parse(json(byPlace)).verification).toMatchObject({ ok: true, previous: null });
    expect(text).toMatchObject({ code: 0, stderr: DONE });
    for (const part of [id, wanted?.hash ?? '', wanted?.prevHash ?? '', 'both neighbours match'])
      expect(text.stdout).toContain(part);
    expect(none.code).toBe(1);
    expect(errorShape.parse(json(none)).error.code).toBe('EntryUnknown');
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toContain('There is no entry "organization#999999"');
  });
});
