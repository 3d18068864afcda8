/**
 * Deliberate faults: what a careless change could make of the code. Each is switched in as the source is loaded (`with-fault.ts`), never by
 * anything in the product; one whose place is not found any more is an error, so that none rots.
 *
 * Tried, and not noticed by 400 histories, so not in the list: one client token for all calls, expired claims that nothing wakes, an approval that
 * lifts the cap also for what an event brings into its run, records that are not caught up, a denied role that ends a scan, an approval that can be
 * used again after a restore (held by test/adapters/embedded/restore.test.ts); nor by 1,000: an interrupted run that is gone on with however old its answers
 * are. Coverage that is ignored is noticed by about one history in a thousand, so it is left to the unit tests of the guardrails; a call that was
 * sent and does not count against the caps, to their property test.
 */
export interface Fault {
  readonly name: string;
  /** What is to be noticed. */
  readonly breaks: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'blocked-drift-not-detected',
    breaks: 'a drift that is observed and never detected, because something delays the fix (invariant 1)',
    edits: [
      {
        file: 'shared/domain/account/drift-detection.ts',
        find: '=== null && isDrift(after.verdict);',
        replace: "=== null && after.verdict === 'Drifted';",
      },
    ],
  },
  {
    name: 'call-without-intent',
    breaks: 'a change without a prior record (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/remediation/remediate.ts',
        find: 'isUnmoved(current, remediation) ? intentEntry(work, remediation) : null,',
        replace: 'current === null ? intentEntry(work, remediation) : null,',
      },
      {
        file: 'shared/app/reconciler/remediation/remediate.ts',
        find: 'return claimed.filter(({ record, remediation }) => holdsClaim(record, remediation));',
        replace: 'return claimed;',
      },
      {
        file: 'shared/app/reconciler/remediation/remediate.ts',
        find: "claim?.expiresAt ?? '')",
        replace: "claim?.expiresAt ?? '2999-01-01')",
      },
    ],
  },
  {
    name: 'claim-not-asked-for-again',
    breaks: 'a call under a claim that others have found expired (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/remediation/claim-still-held.ts',
        find: 'for (;;) {\n    requireClaim(work, claim.assessment, claim.expiresAt);',
        replace: 'for (;;) {',
      },
    ],
  },
  {
    name: 'claim-of-others-ignored',
    breaks: 'two undertakings for one enrollment at once (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/reconcile-account.ts',
        find: 'if (claim !== null) {',
        replace: 'if (claim === undefined) {',
      },
    ],
  },
  {
    name: 'moved-head-not-decided-anew',
    breaks: 'what was decided on an old state is written behind a new one (invariant 2)',
    edits: [
      {
        file: 'shared/app/ledger/ledger-writer.ts',
        find: 'if (caught.head.seq > item.record.head.seq) return { ...item, record: caught };',
        replace:
          'if (caught.head.seq > item.record.head.seq) return { ...item, record: caught, decide: () => Reflect.get(item, "decide")(item.record) };',
      },
    ],
  },
  {
    name: 'halt-asked-once',
    breaks: 'a call while all is halted (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/checks/operator-controls.ts',
        find: "(stage === 'claim' ? view.recent() : view.now())",
        replace: 'view.recent()',
      },
      {
        file: 'shared/app/guardrails/controls.ts',
        find: 'const RECENT_MS = 1_000;',
        replace: 'const RECENT_MS = 3_600_000;',
      },
    ],
  },
  {
    name: 'suspension-ignored',
    breaks: 'a call while the account is suspended (invariant 3)',
    edits: [
      {
        file: 'shared/domain/decision/operator-controls.ts',
        find: 'if (last === undefined) return null;',
        replace: 'if (last !== null) return null;',
      },
    ],
  },
  {
    name: 'window-ignored',
    breaks: 'a call while the window is closed (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/checks/change-window.ts',
        find: 'if (windows.isOpen(now)) return;',
        replace: 'if (now > 0) return;',
      },
      {
        file: 'shared/domain/decision/assess-mismatch.ts',
        find: 'if (policy.windows.isOpen(now)) return null;',
        replace: 'if (now > 0) return null;',
      },
    ],
  },
  {
    name: 'exemption-ignored',
    breaks: 'a call for an account that is exempt (invariant 3)',
    edits: [
      {
        file: 'shared/domain/decision/assess.ts',
        find: 'if (exemption === null) return null;',
        replace: 'if (exemption !== undefined) return null;',
      },
    ],
  },
  {
    name: 'changes-cap-ignored',
    breaks: 'more accounts changed than maxChanges allows (invariant 3)',
    edits: [
      {
        file: 'shared/domain/decision/guardrails.ts',
        find: 'if (input.maxChangesLifted) return null;',
        replace: 'if (input !== null) return null;',
      },
      {
        file: 'shared/app/reconciler/checks/change-caps.ts',
        find: 'const lifted = this.#lifted(run, planHash);',
        replace: 'const lifted = this.#lifted(run, planHash) || true;',
      },
    ],
  },
  {
    name: 'opt-out-cap-ignored',
    breaks: 'more accounts opted out than maxOptOuts allows (invariant 8)',
    edits: [
      {
        file: 'shared/domain/decision/guardrails.ts',
        find: 'coverageTrip(input) ?? optOutTrip(input)',
        replace: 'coverageTrip(input)',
      },
      {
        file: 'shared/app/reconciler/checks/change-caps.ts',
        find: 'if (optOut && this.#recent.sizeWith',
        replace: 'if (!optOut && optOut && this.#recent.sizeWith',
      },
    ],
  },
  {
    name: 'cool-down-ignored',
    breaks: 'a call within 24 hours after our own opt-out (design, cool-down)',
    edits: [
      {
        file: 'shared/domain/decision/cool-down.ts',
        find: "if (observed.status !== 'Inactive') return null;",
        replace: 'if (observed !== null) return null;',
      },
    ],
  },
  {
    name: 'pending-not-waited-for',
    breaks: 'a call while AWS says Pending (design, verdicts)',
    edits: [
      {
        file: 'shared/domain/decision/assess.ts',
        find: "if (observation.status === 'Pending' && (",
        replace: "if (observation.status === 'Pending' && false && (",
      },
    ],
  },
  {
    name: 'answer-taken-for-observation',
    breaks: 'Compliant without an observation (design, verdicts)',
    edits: [
      {
        file: 'shared/app/reconciler/remediation/entries.ts',
        find: "verdict: 'Converging', reason: 'acted'",
        replace: "verdict: 'Compliant', reason: null",
      },
    ],
  },
  {
    name: 'refused-events-marked',
    breaks: 'an entry that no listener ever gets (invariant 1)',
    edits: [
      {
        file: 'shared/app/notifications/outbox-publisher.ts',
        find: 'await ledger.markPublished(accepted);',
        replace: 'await ledger.markPublished(open);',
      },
    ],
  },
  {
    name: 'who-left-is-forgotten',
    breaks: 'the drift of an account that has left never ends (invariant 1)',
    edits: [
      {
        file: 'shared/app/scan/scan.ts',
        find: 'entries += await recordGone(deps, writer, run, surveyed.gone);',
        replace: '',
      },
    ],
  },
  {
    name: 'dry-run-writes',
    breaks: 'a dry run that writes (invariant 6)',
    edits: [{ file: 'shared/app/scan/scan.ts', find: 'saveSnapshot: false,', replace: 'saveSnapshot: true,' }],
  },
  {
    name: 'limiter-per-process',
    breaks: 'the budget holds for each process, not for all together (invariant 4)',
    edits: [
      {
        file: 'shared/app/rate-limiter/shared-state.ts',
        find: 'this.#options = options;',
        replace:
          'const own = String(Math.random());\n    const { registers } = options;\n    this.#options = { ...options, registers: { ...registers, read: (name) => registers.read(name + own), write: (name, value, expected) => registers.write(name + own, value, expected) } };',
      },
    ],
  },
  {
    name: 'intent-after-call',
    breaks: 'a change without a prior record (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/remediation/remediate.ts',
        find: 'sendCall(work.deps.cloud, call.scope, sending, beforeSend));',
        replace: 'sendCall(work.deps.cloud, call.scope, sending, async () => undefined)); await beforeSend();',
      },
    ],
  },
  {
    name: 'acknowledged-before-recorded',
    breaks: 'a message that is gone before what it asks for is recorded (invariant 1)',
    edits: [
      {
        file: 'shared/app/reconciler/worker-pool.ts',
        find: 'const { end, outcomes } = await deliver(this.#work, delivery, 0);',
        replace:
          'await this.#work.deps.queue.acknowledge([delivery]); const { end, outcomes } = await deliver(this.#work, delivery, 0);',
      },
    ],
  },
  {
    name: 'absence-taken-for-inactive',
    breaks: 'what a listing lacks is taken for Inactive (invariant 8)',
    edits: [
      {
        file: 'shared/app/survey/observations.ts',
        find: "return listing.brokenBy === null ? NOT_LISTED : unknown('listingIncomplete', listing.brokenBy.message);",
        replace: 'return listing === null ? NOT_LISTED : absent(FIRST_KIND.id);',
      },
    ],
  },
  {
    name: 'incomplete-answer-read-as-empty',
    breaks: 'an answer without its list is read as an empty list (invariant 8)',
    edits: [
      {
        file: 'shared/adapters/aws/complete-answers.ts',
        find: 'if (missing !== null) return missing;\n  }\n  const lacking',
        replace: 'if (missing === "") return missing;\n  }\n  const lacking',
      },
    ],
  },
  {
    name: 'contradiction-ignored',
    breaks: 'accounts that a broken listing lacks are recorded as having left (invariant 8)',
    edits: [
      {
        file: 'shared/adapters/aws/complete-answers.ts',
        find: 'if (missing !== null) return missing;\n  }\n  const lacking',
        replace:
          'if (missing === "" || (missing !== null && !has.includes("Accounts[].Id"))) return missing;\n  }\n  const lacking',
      },
      {
        file: 'shared/app/survey/survey.ts',
        find: 'await contradictions(deps, retrying, table.snapshot, missingFrom(table, listings));',
        replace: 'missingFrom(table, listings).slice(0, 0);',
      },
    ],
  },
  {
    name: 'answers-of-another-run',
    breaks: 'what AWS told an earlier run is taken for what it tells this one (invariant 8)',
    edits: [
      {
        file: 'shared/app/scan/checkpoint.ts',
        find: 'if (register.name.startsWith(prefixOf(runId))) stored.push(register);',
        replace: 'if (register.name !== "") stored.push(register);',
      },
    ],
  },
  {
    name: 'approval-reused',
    breaks: 'an approval that lifts maxChanges for more than one run (invariant 3)',
    edits: [
      {
        file: 'shared/app/guardrails/approvals.ts',
        find: 'approval.usedAt === null ? { ...approval, usedBy: runId, usedAt: now } : null,',
        replace: 'approval.usedAt === null && runId === null ? { ...approval, usedBy: runId, usedAt: now } : null,',
      },
    ],
  },
  {
    name: 'stopped-run-goes-on',
    breaks: 'calls in a run that failureTolerance has stopped (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/checks/run-stopped.ts',
        find: 'if (stopped !== null)',
        replace: 'if (stopped === undefined)',
      },
    ],
  },
  {
    name: 'alert-acts',
    breaks: 'a call for an account that is only to be told of (design, verdicts)',
    edits: [
      {
        file: 'shared/domain/decision/assess-mismatch.ts',
        find: "if (state?.mode.value === 'alert') return",
        replace: "if (state?.mode.value === 'off') return",
      },
    ],
  },
  {
    name: 'other-organization-let-in',
    breaks: 'what another organization looks like is recorded in the store of this one (invariant 9)',
    edits: [
      {
        file: 'shared/app/coordination/organization-binding.ts',
        find: 'if (owner !== null && owner !== organizationId) throw',
        replace: "if (owner === '') throw",
      },
    ],
  },
  {
    name: 'unbound-store-taken-over',
    breaks: 'a store with a snapshot and no recorded owner is bound to another organization (invariant 9)',
    edits: [
      {
        file: 'shared/app/coordination/organization-binding.ts',
        find: 'return bound?.value.organizationId ?? (await snapshots.meta())?.organizationId ?? null;',
        replace: 'void snapshots; return bound?.value.organizationId ?? null;',
      },
    ],
  },
  {
    name: 'restore-does-not-halt',
    breaks: 'a call after a restore, before anybody has lifted its halt (invariant 3)',
    edits: [
      {
        file: 'shared/domain/decision/operator-controls.ts',
        find: 'controls: { halt: { ...act, reason: message }, suspensions,',
        replace: 'controls: { halt: before, suspensions,',
      },
    ],
  },
  {
    name: 'restore-lifts-suspensions',
    breaks: 'a call for an account whose suspension the backup lacks (invariant 3)',
    edits: [
      {
        file: 'shared/domain/decision/operator-controls.ts',
        find: 'const others = replaced?.suspensions ?? [];',
        replace: 'const others = (replaced?.suspensions ?? []).slice(0, 0);',
      },
    ],
  },
  {
    name: 'restore-forgets-changes',
    breaks:
      'more accounts changed in 24 hours than maxChanges allows, because the backup lacks the changes (invariant 3)',
    edits: [
      {
        file: 'shared/app/operator/reconcile-restored.ts',
        find: 'put(CHANGES_BEFORE_RESTORE.name, Object.keys(carried).length === 0 ? null : carried);',
        replace: 'put(CHANGES_BEFORE_RESTORE.name, null);',
      },
    ],
  },
];
