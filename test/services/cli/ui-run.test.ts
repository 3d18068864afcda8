import { describe, expect, test } from 'vitest';
import type { FinishedRun } from '../../../services/cli/run-once.ts';
import type { Style } from '../../../services/cli/ui/output.ts';
import { runText } from '../../../services/cli/ui/run-text.ts';
import { fullStatuses, fullSummary } from '../../../shared/app/queries/plan-document.ts';
import type { OpenChange } from '../../../shared/app/runtime/conclude-run.ts';
import { byKind } from '../../../shared/domain/enrollment/kinds/index.ts';
import { change, id } from '../../support/changes.ts';
import { compiled, withDefaults } from '../../unit/domain/policy/support.ts';

const plain: Style = (_format, text) => text;
const none = byKind(() => ({}));
const snapshot = { organizationId: 'o-1', managementAccountId: id(0), accounts: [], takenAt: 0, tags: false };

/** A run of 107 changes that ended with these numbers. */
function run(ending: Partial<FinishedRun['result']>, over: Partial<FinishedRun> = {}): FinishedRun {
  const due = Array.from({ length: 107 }, (_, at) => change({ accountId: id(at), accountName: `account-${at}` }));
  const plan: FinishedRun['result']['plan'] = {
    ...{ organizationId: 'o-1', policyHash: 'p'.repeat(64), planHash: 'f5685be84f9c'.padEnd(64, '0') },
    coverage: { listed: 118, evaluated: 118, unknown: 0, notApplicable: 2 },
    ...{ accountsInScope: 118, summary: none, due, followUps: [], changes: due },
    totals: { now: 107, followUps: 0, optOuts: 0, calls: 107 },
    ...{ trip: null, approval: null, gate: null, configurations: null, asked: [], calls: [], orgWide: {} },
    ...{ trustedAccess: true, broken: [], deniedRoles: [], snapshot },
  };
  return {
    result: {
      ...{ plan, runId: 'R'.repeat(26), open: [], stopped: null, interrupted: false, rollout: null, unplanned: 0 },
      changes: { attempted: 107, succeeded: 107, failed: 0, blocked: 0, converging: 0 },
      planned: { total: 107, confirmed: 107, byOtherRuns: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0 },
      ...ending,
    },
    ...{ before: fullSummary(none), after: fullSummary(none), calls: {}, durationMs: 47_000 },
    ...{ statusesBefore: fullStatuses(none), statusesAfter: fullStatuses(none), claimed: [], deadLetters: 0 },
    ...{ halted: null, unreachable: null },
    ...over,
  };
}

const ended = (parts: Partial<FinishedRun['result']['planned']>) => ({
  planned: { total: 107, confirmed: 0, byOtherRuns: 0, inProgress: 0, failed: 0, blocked: 0, notStarted: 0, ...parts },
});
const textOf = (finished: FinishedRun) =>
  runText(finished, {
    ...{ style: plain, width: 80, policy: compiled(withDefaults('')), program: 'rollcall' },
    again: 'rollcall apply --plan plan.json',
  });
const openAt = (at: number, over: Partial<OpenChange>): OpenChange => ({
  ...{ accountId: id(at), accountName: `account-${at}`, ou: '/', enrollment: 'computeOptimizer', verdict: 'Blocked' },
  ...{ reason: 'denied', status: 'Needs attention', message: null, notBefore: null },
  ...over,
});

describe('the closing line of a run', () => {
  test('names the setting to raise if too many accounts would be opted out', () => {
    const trip = { reason: 'maxOptOuts', message: 'too many opt-outs' } as const;
    const { plan } = run({}).result;
    const text = textOf(run({ plan: { ...plan, trip } }))
      .join(' ')
      .replace(/\s+/g, ' ');
    expect(text).toContain('Opting out deletes data, so only a higher guardrails.maxOptOuts in the policy permits it.');
  });

  test('says that the next run disables accounts that an approved deletion has freed, but not if the run was stopped', () => {
    const call = {
      ...{ target: '/Sandbox', targetId: 'ou-1', ruleMode: null, owner: 'other' as const, needsApproval: false },
      ...{ operation: 'DeleteOrganizationEnrollmentConfiguration' as const, replaces: 'NoneAllowed' as const },
      ...{ accounts: 0, optOuts: 0, joiners: null },
    };
    const configurations = { calls: [call], notCovered: [], kept: [], callsSaved: 0 };
    const plan = { ...run({}).result.plan, configurations };
    const open = [openAt(1, { enrollment: 'automation', reason: 'organizationConfiguration' })];
    const said = (over: Partial<FinishedRun['result']>) =>
      textOf(run({ plan, open, ...over }))
        .join(' ')
        .replace(/\s+/g, ' ');
    const next = 'The next run disables the accounts that a deleted configuration kept enrolled: rollcall apply';
    expect(said({})).toContain(next);
    const trip = { reason: 'maxOptOuts', message: 'too many opt-outs' } as const;
    expect(said({ plan: { ...plan, trip } })).not.toContain(next);
    expect(said({ stopped: { reason: 'halted', message: 'halted' } })).not.toContain(next);
    expect(said({ interrupted: true })).not.toContain(next);
  });

  test('says that all changes are confirmed', () => {
    expect(textOf(run({}))).toEqual(['Done in 47s: 107 of 107 changes confirmed. All managed accounts (118) comply.']);
  });

  test('counts the changes of other runs separately', () => {
    expect(textOf(run(ended({ confirmed: 95, byOtherRuns: 12 })))).toEqual([
      'Done in 47s: 95 of 107 changes confirmed, 12 made by another run. All managed',
      'accounts (118) comply.',
    ]);
    const cut = run({ ...ended({ confirmed: 50, byOtherRuns: 12, notStarted: 45 }), interrupted: true });
    expect(textOf(cut)[0]).toBe(
      'Interrupted after 47s: 50 of 107 changes confirmed, 0 failed, 12 made by another run, 45 not started.',
    );
    expect(textOf(run({ unplanned: 3 })).join(' ')).toContain('confirmed. 3 changes of other runs were made.');
  });

  test('counts what an interruption left', () => {
    expect(textOf(run({ ...ended({ confirmed: 62, notStarted: 45 }), interrupted: true }))).toEqual([
      'Interrupted after 47s: 62 of 107 changes confirmed, 0 failed, 45 not started.',
      'Every result is recorded. To continue: rollcall apply --plan plan.json',
    ]);
  });

  test('an interrupted run says that its approval does not cover the rest', () => {
    const cut = run({ ...ended({ confirmed: 62, notStarted: 45 }), interrupted: true });
    const times = { at: 0, expiresAt: 1, startedRun: null, usedBy: null, usedAt: null };
    const approval = { planHash: 'f5', policyHash: 'p', actor: 'user:ops', reason: null, recorded: true, ...times };
    const { result } = cut;
    const approved = { ...cut, result: { ...result, plan: { ...result.plan, approval } } };
    const note =
      'The approval has been used. If maxChanges stops the rest, approve it: rollcall apply shows the command';
    expect(textOf(approved).join(' ').replace(/\s+/g, ' ')).toContain(note);
    const unused = { ...approved.result, changes: { ...result.changes, attempted: 0 } };
    expect(textOf({ ...approved, result: unused }).join(' ')).not.toContain('approval has been used');
  });

  test('says that drift in mode alert is only reported', () => {
    const open = [0, 1].map((at) => openAt(at, { verdict: 'Drifted', reason: 'alertOnly', status: 'Drifted' }));
    expect(textOf(run({ open })).join(' ')).toContain('2 drifts are not fixed: 2 reported only (mode: alert).');
  });

  test('names a halt and a guardrail that ended it, with parts that add up', () => {
    const halted = { at: '2026-12-01T09:41:00.000Z', by: 'user:ops', reason: 'checking invoice' };
    const stopped = { reason: 'halted', message: 'halted' };
    expect(textOf(run({ ...ended({ confirmed: 50, notStarted: 57 }), stopped }, { halted }))).toEqual([
      'Stopped: halted by user/ops at 2026-12-01 09:41 UTC: "checking invoice".',
      '  50 confirmed, 0 failed, 57 not started. To allow changes: rollcall resume',
    ]);
    const failures = { reason: 'failureTolerance', message: 'too many' };
    const open = Array.from({ length: 11 }, (_, at) => openAt(at, { reason: 'deadLettered', verdict: 'Drifted' }));
    expect(
      textOf(run({ ...ended({ confirmed: 41, failed: 11, blocked: 50, notStarted: 5 }), stopped: failures, open })),
    ).toEqual([
      'Stopped by guardrail failureTolerance (limit: 10% of 107 changes).',
      '  41 confirmed, 11 failed, 55 not started. Causes: rollcall status',
    ]);
  });

  test('repeats the options of the command after a guardrail stopped it', () => {
    const limit = { accounts: 107, within24Hours: 107, allowed: 23, inScope: 118 };
    const trip = { reason: 'maxChanges', message: 'too many', limit } as const;
    const { result } = run({});
    expect(textOf(run({ plan: { ...result.plan, trip } })).at(-1)).toBe(
      '  rollcall approve f5685be84f9c, then: rollcall apply --plan plan.json',
    );
  });

  test('groups failures by cause, with what did not start because of them', () => {
    const message = 'AssumeRole failed (AccessDenied)';
    const open = [0, 1, 2].flatMap((at) => [openAt(at, { message })]);
    expect(textOf(run({ ...ended({ confirmed: 104, blocked: 3 }), open }))).toEqual([
      'Partly done in 47s: 104 of 107 changes confirmed, 3 failed.',
      '  RollcallMember cannot be assumed in 3 accounts, so Compute Optimizer failed',
      '  there:',
      `    ${id(0)} account-0, ${id(1)} account-1, ${id(2)} account-2`,
      '  Fix the role (see rollcall doctor), then: rollcall apply --plan plan.json',
    ]);
  });

  test('says how to continue after an outage, and when a claim expires', () => {
    const unreachable = { since: Date.UTC(2026, 10, 22), message: 'GetEnrollmentStatus failed (ECONNREFUSED).' };
    const open = [openAt(0, { verdict: 'Converging', reason: 'acted', status: 'In progress' })];
    const text = textOf(run({ ...ended({ confirmed: 106, inProgress: 1 }), open }, { unreachable })).join('\n');
    expect(text).toContain('Stopped: AWS has been unreachable since 2026-11-22 00:00 UTC:');
    expect(text).toContain('  106 confirmed, 0 failed, 1 in progress. When AWS is reachable: rollcall apply');
    const claim = { accountId: id(0), enrollment: 'automation', operation: 'AssociateAccounts' } as const;
    const claimed = textOf(run({}, { claimed: [{ ...claim, until: '2026-11-22T01:00:00.000Z' }] }))
      .join(' ')
      .replace(/\s+/g, ' ');
    expect(claimed).toContain('The last claim expires 2026-11-22 01:00 UTC.');
    expect(claimed).not.toContain('comply');
  });
});
