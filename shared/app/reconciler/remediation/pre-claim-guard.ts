import type { AccountRecord } from '../../../domain/account/record.ts';
import type { Assessment } from '../../../domain/enrollment/verdict.ts';
import type { EntryDraft } from '../../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../../domain/work-message.ts';
import { ChangeRefused } from '../checks/guard.ts';
import type { WorkContext } from '../worker-context.ts';
import { type ErrorFacts, failureEntry, type Remediation } from './entries.ts';

/** The `error.kind` of a refused change in stored entries, which does not follow the name of the class. */
const REFUSED_KIND = 'Vetoed';

/** Accounts written at a time. */
const CHUNK = 500;

/**
 * Asks the guard before many accounts are claimed for one call. The answer is asked for again right before the call; this one keeps a
 * call that must not be made from leaving intents behind, which would count as changes for 24 hours.
 * @throws ChangeRefused because of a suspension: it may be about one account, and must not hold up the others
 * @returns whether the call may be made as far as is known now; if not, the accounts are recorded as Blocked.
 */
export async function mayClaim(
  work: WorkContext,
  key: Pick<WorkMessage, 'runId' | 'planHash'>,
  wanted: readonly { readonly record: AccountRecord; readonly assessment: Assessment }[],
  optOut: boolean,
  wide = false,
): Promise<boolean> {
  const accountIds = wanted.map(({ assessment }) => assessment.accountId);
  try {
    await work.guard.check(key, accountIds, optOut, 'claim', wide);
    return true;
  } catch (error) {
    // That is about some of them alone: the caller lets each go on by itself.
    if (!(error instanceof ChangeRefused) || error.reason === 'suspendedByOperator') throw error;
    await blockAll(work, key.runId, wanted, error);
    return false;
  }
}

/** Closes an intent whose call the guard did not allow, without a verdict of its own: the account is judged anew. */
export function letGo(work: WorkContext, undertaking: Remediation, veto: ChangeRefused): EntryDraft {
  const attempts = undertaking.record.conditions[undertaking.assessment.enrollment]?.attempts ?? 0;
  const fate = { verdict: 'Drifted', reason: 'retrying', notBefore: null, attempts } as const;
  const facts = { kind: REFUSED_KIND, code: veto.reason, message: veto.message, requestId: null, operation: null };
  return failureEntry(work, undertaking, fate, facts);
}

/** Records accounts as Blocked of which nobody has claimed any. */
export async function blockAll(
  work: WorkContext,
  runId: string,
  wanted: readonly { readonly record: AccountRecord; readonly assessment: Assessment }[],
  veto: ChangeRefused,
): Promise<void> {
  for (let at = 0; at < wanted.length; at += CHUNK) {
    await work.journal.writeMany(
      wanted.slice(at, at + CHUNK).map(({ record, assessment }) => ({
        record,
        decide: (current: AccountRecord): EntryDraft[] => {
          const undertaking = { runId, assessment, record, intentId: null, clientToken: null, batch: null };
          return current.head.hash === record.head.hash ? [vetoEntry(work, undertaking, veto)] : [];
        },
      })),
    );
  }
}

/** `RemediationBlocked` for an account whose call the guard did not allow. */
export function vetoEntry(work: WorkContext, undertaking: Remediation, veto: ChangeRefused): EntryDraft {
  const { record, assessment } = undertaking;
  const attempts = record.conditions[assessment.enrollment]?.attempts ?? 0;
  const fate = { verdict: 'Blocked', reason: veto.reason, notBefore: veto.notBefore, attempts } as const;
  const error: ErrorFacts = {
    kind: REFUSED_KIND,
    code: veto.reason,
    message: veto.message,
    requestId: null,
    operation: null,
  };
  return failureEntry(work, undertaking, fate, error);
}
