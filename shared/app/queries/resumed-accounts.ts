import type { AccountRecord } from '../../domain/account/record.ts';
import { compileControls } from '../../domain/decision/operator-controls.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import { differs } from '../../domain/enrollment/mismatch.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type CompiledPolicy, type OrganizationAccount, parseOperatorSelector } from '../../domain/policy/index.ts';
import type { Stores } from '../context.ts';
import { readControls } from '../guardrails/controls.ts';

/** The accounts that were suspended until a `resume`, and their drift. */
export interface ResumedAccounts {
  /** Active accounts of the last scan that no suspension covers any more; `null`: there is no scan, or it lacks the tags. */
  readonly accounts: number | null;
  /** Active accounts that another suspension still covers. */
  readonly stillSuspended: number;
  /** Enrollments of the accounts that differ from the policy, as of the last observation, whatever the mode. */
  readonly drifts: number;
  /** The part of them that is reported only, because of mode `alert`; `null`: no policy is known. */
  readonly reportedOnly: number | null;
}

interface Ended {
  /** The selectors of the suspensions that ended, or the ids that were removed from suspensions. */
  readonly ended: readonly string[];
  /** The policy of the next run; `null`: not known. */
  readonly policy: CompiledPolicy | null;
  readonly now: EpochMs;
}

export async function resumedAccounts(
  { snapshots, records, registers }: Pick<Stores, 'snapshots' | 'records' | 'registers'>,
  { ended, policy, now }: Ended,
): Promise<ResumedAccounts> {
  const matches = ended.flatMap((text) => {
    const parsed = parseOperatorSelector(text);
    return parsed.ok ? [parsed.selector.match] : [];
  });
  const snapshot = await snapshots.load();
  const found = { stillSuspended: 0, drifts: 0, reportedOnly: policy === null ? null : 0 };
  if (snapshot === null || (matches.some(({ usesTags }) => usesTags) && !snapshot.tags))
    return { ...found, accounts: null };
  const controls = compileControls(await readControls(registers));
  const covered = snapshot.accounts.filter(
    (account) => account.state === 'ACTIVE' && matches.some((match) => match.test(account)),
  );
  const resumed = covered.filter((account) => controls.suspensionOf(account, now) === null);
  const known = await records.getMany(resumed.map(({ id }) => id));
  for (const account of resumed) {
    const drifted = driftOf(account, known.get(account.id) ?? null, { policy, now });
    found.drifts += drifted.length;
    if (found.reportedOnly !== null && modeOf(policy, account) === 'alert') found.reportedOnly += drifted.length;
  }
  return { ...found, accounts: resumed.length, stillSuspended: covered.length - resumed.length };
}

/** The record of a suspended account has no mode and no exemption, so these come from the policy. */
function driftOf(
  account: OrganizationAccount,
  record: AccountRecord | null,
  { policy, now }: Pick<Ended, 'policy' | 'now'>,
): readonly EnrollmentId[] {
  if (modeOf(policy, account) === 'off') return [];
  return ENROLLMENT_IDS.filter((id) => {
    const seen = record?.conditions[id] ?? null;
    if (seen === null || seen.status === null || seen.verdict === 'Exempt') return false;
    if (policy !== null && policy.exemption(account.id, id, now) !== null) return false;
    const desired = { status: seen.desired, ruleMode: seen.desiredRuleMode };
    return differs(desired, { status: seen.status, ruleMode: seen.ruleMode }) !== null;
  });
}

function modeOf(policy: CompiledPolicy | null, account: OrganizationAccount) {
  return policy?.canDecide(account) === true ? policy.resolve(account).mode.value : null;
}
