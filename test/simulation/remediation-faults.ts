import type { Fault } from './fault.ts';

/** Faults of detection, claims, controls, caps and waiting. */
export const REMEDIATION_FAULTS: readonly Fault[] = [
  {
    name: 'outdated-tags',
    breaks: 'the tags of the last scan decide opt-outs',
    edits: [
      {
        file: 'shared/app/reconciler/live-tags.ts',
        find: 'if (optOuts.length === 0) return;',
        replace: 'return;',
      },
    ],
  },
  {
    name: 'confirmed-by-older-listing',
    breaks: 'a listing that began before a change confirms it',
    edits: [
      {
        file: 'shared/app/reconciler/observe-live.ts',
        find: 'return Math.max(work.listingsSince, ...changes);',
        replace: 'return 0;',
      },
      {
        // AWS's timestamps would reveal most of these listings.
        file: 'shared/app/reconciler/observe-live.ts',
        find: 'return recorded !== null && Math.floor(',
        replace: "return recorded === '' && Math.floor(",
      },
    ],
  },
  {
    name: 'blocked-drift-not-detected',
    breaks: 'drift that is observed but never detected, because something delays the fix (invariant 1)',
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
        file: 'shared/app/reconciler/claims.ts',
        find: 'mayClaim(current, remediation) ? intentEntry(work, remediation) : null,',
        replace: 'current === null ? intentEntry(work, remediation) : null,',
      },
      {
        file: 'shared/app/reconciler/claims.ts',
        find: 'return claimed.filter(({ record, remediation }) => holdsClaim(record, remediation));',
        replace: 'return claimed;',
      },
      {
        file: 'shared/app/reconciler/claims.ts',
        find: "claim?.expiresAt ?? '')",
        replace: "claim?.expiresAt ?? '2999-01-01')",
      },
    ],
  },
  {
    name: 'claim-not-asked-for-again',
    breaks: 'a call under a claim that another process has expired (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/guard.ts',
        find: 'for (;;) {\n    requireTime();',
        replace: 'for (;;) {',
      },
    ],
  },
  {
    name: 'claim-of-others-ignored',
    breaks: 'two concurrent changes of one enrollment (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/reconcile-account.ts',
        find: 'if (claim !== null) {',
        replace: 'if (claim === undefined) {',
      },
    ],
  },
  {
    name: 'moved-head-not-decided-again',
    breaks: 'a decision on an old record is appended to a newer one (invariant 2)',
    edits: [
      {
        file: 'shared/app/ledger/write-entries.ts',
        find: 'if (caught.head.seq > item.record.head.seq) return { ...item, record: caught };',
        replace:
          'if (caught.head.seq > item.record.head.seq) return { ...item, record: caught, decide: () => Reflect.get(item, "decide")(item.record) };',
      },
    ],
  },
  {
    name: 'halt-asked-once',
    breaks: 'a call while everything is halted (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/guard-checks.ts',
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
    name: 'replaced-policy-ignored',
    breaks: 'a process continues to make changes under a policy that another process has replaced (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/deliver.ts',
        find: 'await requireInForce(shared.deps.registers, shared.policy.hash);',
        replace: '',
      },
      {
        file: 'shared/app/reconciler/guard-checks.ts',
        find: "if (stage === 'call') await requireInForce(registers, policy.hash);",
        replace: '',
      },
    ],
  },
  {
    name: 'window-ignored',
    breaks: 'a call while the window is closed (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/guard-checks.ts',
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
        file: 'shared/app/reconciler/change-caps.ts',
        find: 'if (lifting === null && this.#recent',
        replace: 'if (lifting === undefined && this.#recent',
      },
    ],
  },
  {
    name: 'event-counts-as-approved',
    breaks: 'a change that an event adds to an approved run does not count against maxChanges (invariant 3)',
    edits: [
      {
        file: 'shared/app/reconciler/guard.ts',
        find: 'if (bound === null || planHash !== bound) return null;',
        replace: 'if (bound === null) return null;',
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
        file: 'shared/app/reconciler/change-caps.ts',
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
    breaks: 'a call while AWS reports Pending (design, verdicts)',
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
        file: 'shared/app/reconciler/remediation-entries.ts',
        find: "verdict: 'Converging', reason: 'acted'",
        replace: "verdict: 'Compliant', reason: null",
      },
    ],
  },
];
