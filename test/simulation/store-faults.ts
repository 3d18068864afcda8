import type { Fault } from './fault.ts';

/** Faults of notifications, budgets, scans, approvals, alerts and restores. */
export const STORE_FAULTS: readonly Fault[] = [
  {
    name: 'entry-left-out-of-the-log',
    breaks: 'an entry that no checkpoint covers, and that can be removed unnoticed (invariant 7)',
    edits: [
      {
        file: 'shared/app/transparency/log-tail.ts',
        find: 'const entries = news.flatMap((each) => each.entries);',
        replace: "const entries = news.flatMap((each) => each.entries).filter(({ type }) => type !== 'DriftResolved');",
      },
    ],
  },
  {
    name: 'log-of-a-replaced-store',
    breaks: 'a restore during a step forks the log (invariant 7)',
    edits: [
      {
        file: 'shared/app/transparency/log-tail.ts',
        find: 'if (found === undefined || !equalBytes(found, hashes)) throw new LogReplacedError();',
        replace: '',
      },
    ],
  },
  {
    name: 'refused-events-marked',
    breaks: 'an entry that is never delivered (invariant 1)',
    edits: [
      {
        file: 'shared/app/notifications/outbox-publisher.ts',
        find: 'await ledger.markPublished(accepted);',
        replace: 'await ledger.markPublished(open);',
      },
    ],
  },
  {
    name: 'departure-not-recorded',
    breaks: 'the drift of an account that has left never ends (invariant 1)',
    edits: [
      {
        file: 'shared/app/scan/scan.ts',
        find: 'entries += await recordAll(deps, await departures(deps, run, gone, snapshot.takenAt));',
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
    breaks: 'the rate limit holds for each process, not for all together (invariant 4)',
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
        file: 'shared/app/reconciler/remediate.ts',
        find: 'const send = await prepared(work, call, remediations);',
        replace:
          'const early = await work.deps.cloud.prepareChange(requestOf(call.scope, remediations)); const done = await early(); const send = async () => done;',
      },
    ],
  },
  {
    name: 'acknowledged-before-recorded',
    breaks: 'a message that is deleted before its work is recorded (invariant 1)',
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
    breaks: 'an account that is missing from a listing is taken for Inactive (invariant 8)',
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
    breaks: 'a run uses answers that AWS gave to an earlier run (invariant 8)',
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
        file: 'shared/app/reconciler/guard-checks.ts',
        find: 'if (stopped !== null)',
        replace: 'if (stopped === undefined)',
      },
    ],
  },
  {
    name: 'alert-acts',
    breaks: 'a call for an account in mode alert (design, verdicts)',
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
    breaks: 'data of another organization is recorded in this store (invariant 9)',
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
    breaks: 'a call after a restore, before an operator has lifted its halt (invariant 3)',
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
  {
    name: 'policy-stored-before-its-entry',
    breaks: 'a process that ends in between loses the entry of the policy (invariant 1)',
    edits: [
      {
        file: 'shared/app/scan/note-policy.ts',
        find: '  await writeTyped(deps.registers, POLICY, { hash, unrecorded }, known?.version ?? null);\n',
        replace:
          "  await writeTyped(deps.registers, POLICY, { hash, unrecorded: null }, known?.version ?? null);\n  const { sealEntry } = await import('../../domain/ledger/entry.ts');\n  const { organizationEntry } = await import('../ledger/organization-entry.ts');\n  await deps.ledger.append([sealEntry(organizationEntry(entryContext(deps, run), entry.type, { detail }), unrecorded.after)]);\n",
      },
    ],
  },
];
