import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditShape, verifyShape } from './audit-shapes.ts';
import { accountShape, applyShape, explainShape, planShape, statusShape } from './shapes.ts';
import {
  called,
  ENROLL,
  EVERYTHING_ON,
  ended,
  expectNoStack,
  json,
  place,
  rollcall,
  said,
  start,
  world,
} from './support.ts';

describe('from drift to convergence', () => {
  test('the JSON and exit codes of all commands agree', async () => {
    const { env, running } = await world({ accounts: 25, drift: 0.2 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    const call = (...args: string[]) => rollcall([...args, '--json'], { cwd, env });

    const first = await call('plan');
    const plan = planShape.parse(json(first));
    expect(first).toMatchObject({ code: 2, stderr: '' });
    expect(plan.guardrail).toEqual({ tripped: false, reason: null, message: null });
    const drifted = plan.changes.filter(({ verdict }) => verdict === 'Drifted');
    expect(drifted.length).toBe(
      (plan.summary.computeOptimizer['Drifted'] ?? 0) + (plan.summary.automation['Drifted'] ?? 0),
    );
    expect(plan.calls.map(({ operation }) => operation).sort()).toEqual([
      'AssociateAccounts',
      'UpdateEnrollmentStatus',
    ]);

    const applied = await call('apply', '--yes');
    const run = applyShape.parse(json(applied));
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(run.planHash).toBe(plan.planHash);
    expect(run.changes).toEqual({
      attempted: plan.changes.length,
      succeeded: plan.changes.length,
      failed: 0,
      blocked: 0,
      converging: 0,
    });
    expect(run.summaryBefore).toEqual(plan.summary);
    expect(run.open).toEqual([]);
    expect(run.calls['compute-optimizer:UpdateEnrollmentStatus']?.count).toBe(
      run.summaryBefore.computeOptimizer['Drifted'],
    );

    const [accountId = ''] = plan.changes.map((change) => change.accountId);
    const [status, again, account, explain, drift, ofRun, verify] = await Promise.all([
      call('status'),
      call('plan'),
      call('account', accountId),
      call('policy', 'explain', accountId),
      call('audit', 'list', '--type', 'DriftDetected', '--limit', '3'),
      call('audit', 'list', '--run', run.runId, '--account', accountId, '--oldest-first', '--since', '1h'),
      call('audit', 'verify'),
    ]);
    for (const result of [status, again, account, explain, drift, ofRun, verify])
      expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(statusShape.parse(json(status)).summary).toEqual(run.summary);
    expect(planShape.parse(json(again))).toMatchObject({ changes: [], calls: [], summary: run.summary });
    const view = accountShape.parse(json(account));
    expect(view.enrollments.computeOptimizer?.verdict).toBe('Compliant');
    expect(view.explanation?.desired.automation).toEqual({ value: 'Active', rule: 'defaults' });
    expect(view.timeline.at(-1)?.type).toBe('AccountJoined');
    expect(explainShape.parse(json(explain)).account.id).toBe(accountId);
    const page = auditShape.parse(json(drift));
    expect(page.entries.map(({ type }) => type)).toEqual(['DriftDetected', 'DriftDetected', 'DriftDetected']);
    const entries = auditShape.parse(json(ofRun)).entries;
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, at) => at + 1));
    expect(verifyShape.parse(json(verify))).toMatchObject({ ok: true, fault: null });

    const next = auditShape.parse(
      json(await call('audit', 'list', '--type', 'DriftDetected', '--limit', '3', '--cursor', page.next ?? '')),
    );
    expect(next.entries.some(({ id }) => page.entries.some((entry) => entry.id === id))).toBe(false);

    const truth = running.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(
      truth.every(
        ({ computeOptimizer, automation }) => computeOptimizer.status === 'Active' && automation.status === 'Active',
      ),
    ).toBe(true);
  });

  test('text output has tables, and every sentence of the run', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const plan = await rollcall(['plan'], { cwd, env });
    expect(plan.stdout).toMatch(/^\+ Compute Optimizer: Inactive → Active\n {4}\d{12} {2}\S/m);
    expect(plan.stdout).not.toContain('Guardrail');
    expect(plan.stdout).toMatch(/^\d+ changes? to \d+ accounts?; 0 opt-outs\.$/m);
    expect(plan.stdout).not.toContain('\u001b');
    const apply = await rollcall(['apply', '--yes', '--verbose'], { cwd, env });
    expect(apply.code).toBe(0);
    expect(apply.stdout).toMatch(
      /^Done in [\dms .]+: (\d+) of \1 changes confirmed\. All managed accounts \(\d+\) comply\.$/m,
    );
    expect(apply.stdout).toMatch(/^Drifted +\d+ → 0 /m);
    expect(apply.stderr).toMatch(/^\d\d:\d\d:\d\dZ plan: \d+ changes? to \d+ accounts?$/m);
    expect(apply.stderr).toMatch(/^\d\d:\d\d:\d\dZ progress: (\d+) of \1 changes \(100%\), 0 failed$/m);
    expect(apply.stderr).toMatch(/^compute-optimizer:UpdateEnrollmentStatus +\d+ +0$/m);
    const [status, colour] = await Promise.all([
      rollcall(['status'], { cwd }),
      rollcall(['status'], { cwd, env: { FORCE_COLOR: '1' } }),
    ]);
    expect(status.stdout).toMatch(/ · last scan \d+s ago · next scan: not scheduled$/m);
    // The schedule is in the policy, so without a policy nothing is known about the next scan.
    const elsewhere = await rollcall(['status', '--data-dir', join(cwd, '.rollcall')], { cwd: place({}) });
    expect(elsewhere.stdout).toMatch(/ · last scan \d+s ago$/m);
    expect(status.stdout).not.toContain('\u001b');
    expect(colour.stdout).toContain('\u001b[32mCompliant');
  });

  test('mode: alert records drift and changes nothing; status exits 2', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': 'version: 1\ndefaults: { computeOptimizer: Active, mode: alert }\n' });
    const before = running.sandbox.accounts();
    const result = await rollcall(['apply', '--yes', '--json', '--wait', '0s'], { cwd, env });
    expect(result.code).toBe(0);
    expect(applyShape.parse(json(result)).changes.attempted).toBe(0);
    expect(running.sandbox.accounts()).toEqual(before);
    expect(await rollcall(['status'], { cwd })).toMatchObject({ code: 2 });
  });

  test('apply exits 0 if the only open changes await confirmation', async () => {
    const { env } = await world({ pendingMs: 600_000 });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await rollcall(['apply', '--yes', '--json', '--wait', '500ms'], { cwd, env });
    const { changes } = applyShape.parse(json(result));
    expect(result.code).toBe(0);
    expect(changes).toMatchObject({ succeeded: 0, failed: 0, blocked: 0 });
    expect(changes.converging).toBeGreaterThan(0);
  });
});

test('two runs on one store: the second names the first, and each counts only its own changes', async () => {
  const { env } = await world({
    ...{ accounts: 40, drift: 0.8 },
    faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'slow', delayMs: 1_000 }],
  });
  const cwd = place({ 'rollcall.yaml': ENROLL.replace('concurrency: 8', 'concurrency: 4') });
  const child = start(['apply', '--yes', '--json', '--verbose'], { cwd, env });
  const first = ended(child);
  await said(child, 'Z plan: ');
  const planned = await rollcall(['plan'], { cwd, env });
  expect(planned.stderr).toMatch(
    /^Another apply is in progress on this store, started by \S+ at .* UTC: its plan has \d+ changes\./m,
  );
  const second = await rollcall(['apply', '--yes', '--json'], { cwd, env });
  const runs = [await first, second].map((result) => applyShape.parse(json(result)).planned);
  for (const { total, confirmed, byOtherRuns } of runs) expect(confirmed + byOtherRuns).toBe(total);
  // One of the two runs has made each change that is in both plans.
  const [of1, of2] = runs;
  expect((of1?.confirmed ?? 0) + (of2?.confirmed ?? 0)).toBeLessThanOrEqual(of1?.total ?? 0);
  const after = await rollcall(['plan'], { cwd, env });
  expect(after.stderr).not.toContain('Another apply');
});

test('plan and apply name a serve that runs on the same store', async () => {
  const { env } = await world({ accounts: 8, drift: 0.5 });
  const cwd = place({ 'rollcall.yaml': ENROLL });
  const child = start(['serve', '--port', '0'], { cwd, env });
  const end = ended(child);
  await said(child, ' ended: ');
  const line = /^serve is running on this store, started by \S+ at .* UTC: it also makes changes from the queue\./m;
  expect((await rollcall(['plan'], { cwd, env })).stderr).toMatch(line);
  expect((await rollcall(['apply', '--yes'], { cwd, env })).stderr).toMatch(line);
  expect((await rollcall(['apply', '--yes', '--json'], { cwd, env })).stderr).not.toContain('serve is running');
  child.kill('SIGTERM');
  expect((await end).code).toBe(0);
  expect((await rollcall(['plan'], { cwd, env })).stderr).not.toContain('serve is running');
});

describe('Ctrl-C', () => {
  test('changes in flight finish and are recorded, and apply exits 130; the next run continues', async () => {
    // Slow changes, so that most are left when the signal arrives, on a slow machine as well.
    const { env, running } = await world({
      ...{ accounts: 40, drift: 0.8 },
      faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'slow', delayMs: 3_000 }],
    });
    const cwd = place({ 'rollcall.yaml': ENROLL.replace('concurrency: 8', 'concurrency: 2') });
    const child = start(['apply', '--yes'], { cwd, env });
    const end = ended(child);
    await said(child, 'Z plan: ');
    child.kill('SIGINT');
    const result = await end;
    expect(result.code).toBe(130);
    expect(result.stderr).toContain('Stopping: changes in progress will finish. Ctrl-C again quits immediately.');
    const counts = /^Interrupted after .*: (\d+) of (\d+) changes confirmed, 0 failed, (\d+) not started\.$/m.exec(
      result.stdout,
    );
    const [confirmed = 0, total, notStarted = 0] = (counts ?? []).slice(1).map(Number);
    expect(confirmed + notStarted, result.stdout).toBe(total);
    expect(result.stdout).toContain('Every result is recorded. To continue: rollcall apply');
    expectNoStack(result);
    const [verify, entries] = await Promise.all([
      rollcall(['audit', 'verify'], { cwd }),
      rollcall(['audit', 'list', '--json', '--limit', '10000'], { cwd }),
    ]);
    expect(verify.code).toBe(0);
    const types = auditShape.parse(json(entries)).entries.map(({ type }) => type);
    const of = (type: string): number => types.filter((each) => each === type).length;
    expect(of('RemediationStarted')).toBe(of('RemediationSucceeded') + of('RemediationFailed'));
    running.sandbox.setFaults([]);
    const next = await rollcall(['apply', '--yes', '--json'], { cwd, env });
    expect(next.code).toBe(0);
    expect(applyShape.parse(json(next)).open).toEqual([]);
  });

  test('during the scan, it ends the run and nothing is enqueued', async () => {
    const { env, running } = await world({ accounts: 60, latencyMs: 400 });
    const reading = called(running, 'GetEnrollmentStatusesForOrganization');
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const child = start(['apply', '--yes'], { cwd, env });
    const end = ended(child);
    await reading;
    child.kill('SIGINT');
    const result = await end;
    expect(result.code).toBe(130);
    expect(result.stderr).toContain('stopped before anything was changed');
    expectNoStack(result);
    const status = await rollcall(['status', '--json'], { cwd });
    expect(statusShape.parse(json(status)).queue).toEqual({ visible: 0, inFlight: 0, dead: 0 });
  });

  test('a second one exits immediately, however soon it comes', async () => {
    // After the first signal the run waits for this change: half a minute until the client gives up, and then its retries.
    const { env, running } = await world({
      accounts: 6,
      faults: [{ operation: 'UpdateEnrollmentStatus', kind: 'slow', delayMs: 600_000 }],
    });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const changing = called(running, 'UpdateEnrollmentStatus');
    const child = start(['apply', '--yes', '--verbose'], { cwd, env });
    const end = ended(child);
    await changing;
    const stopping = said(child, 'Stopping');
    child.kill('SIGINT');
    await stopping;
    child.kill('SIGINT');
    const result = await end;
    expect(result.code).toBe(130);
    expect(result.stdout).not.toContain('the changes in flight finished');
  });
});
