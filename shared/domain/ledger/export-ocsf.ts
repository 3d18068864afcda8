import type { Verdict } from '../enrollment/verdict.ts';
import { wordsOf } from './bus-event.ts';
import type { LedgerEntry } from './entry.ts';
import type { EntryType } from './entry-types.ts';

/*
 * Entries as events of the Open Cybersecurity Schema Framework [https://schema.ocsf.io/1.3.0/classes/compliance_finding].
 * A finding is one enrollment of one account; it is closed when the enrollment is compliant again. `unmapped` holds the whole entry.
 */
const OCSF_VERSION = '1.3.0';
const CATEGORY_FINDINGS = 2;
const CLASS_COMPLIANCE_FINDING = 2003;

const ACTIVITY = { Create: 1, Update: 2, Close: 3 } as const;
const SEVERITY = { Informational: 1, Low: 2, Medium: 3, High: 4 } as const;
const FINDING_STATUS = { New: 1, 'In Progress': 2, Suppressed: 3, Resolved: 4 } as const;
const COMPLIANCE_STATUS = { Unknown: 0, Pass: 1, Warning: 2, Fail: 3 } as const;

type Activity = keyof typeof ACTIVITY;
type Severity = keyof typeof SEVERITY;
type FindingStatus = keyof typeof FINDING_STATUS;
type ComplianceStatus = keyof typeof COMPLIANCE_STATUS;

const ACTIVITIES: Readonly<Partial<Record<EntryType, Activity>>> = {
  AccountJoined: 'Create',
  DriftDetected: 'Create',
  GuardrailTripped: 'Create',
  DriftResolved: 'Close',
  AccountLeft: 'Close',
};

const SEVERITIES: Readonly<Partial<Record<EntryType, Severity>>> = {
  DriftDetected: 'Medium',
  FlapDetected: 'Medium',
  RemediationBlocked: 'Medium',
  ConvergenceStalled: 'Medium',
  ExemptionExpiring: 'Low',
  RemediationFailed: 'High',
  GuardrailTripped: 'High',
  EnforcementHalted: 'High',
  StoreRestored: 'High',
};

const COMPLIANCE: Readonly<Record<Verdict, ComplianceStatus>> = {
  NotApplicable: 'Unknown',
  Unmanaged: 'Unknown',
  Suspended: 'Warning',
  Exempt: 'Warning',
  Unknown: 'Unknown',
  Blocked: 'Fail',
  Converging: 'Fail',
  Stalled: 'Fail',
  Drifted: 'Fail',
  Compliant: 'Pass',
};

const FINDING: Readonly<Partial<Record<Verdict, FindingStatus>>> = {
  Compliant: 'Resolved',
  Exempt: 'Suppressed',
  Suspended: 'Suppressed',
  Converging: 'In Progress',
};

/** @param version the version of Rollcall */
export function ocsfEvent(entry: LedgerEntry, version: string): Readonly<Record<string, unknown>> {
  const { type, at, after, accountId, enrollment, detail, reason, rule } = entry;
  const activity = ACTIVITIES[type] ?? 'Update';
  const severity = SEVERITIES[type] ?? 'Informational';
  const compliance = after === null ? 'Unknown' : COMPLIANCE[after.verdict];
  const status =
    (after === null ? undefined : FINDING[after.verdict]) ?? (activity === 'Create' ? 'New' : 'In Progress');
  const time = Date.parse(at);
  const subject = accountId ?? 'organization';
  const title = `${wordsOf(type)}: ${enrollment === null ? subject : `${enrollment} of ${subject}`}`;
  return {
    activity_id: ACTIVITY[activity],
    activity_name: activity,
    category_uid: CATEGORY_FINDINGS,
    category_name: 'Findings',
    class_uid: CLASS_COMPLIANCE_FINDING,
    class_name: 'Compliance Finding',
    type_uid: CLASS_COMPLIANCE_FINDING * 100 + ACTIVITY[activity],
    type_name: `Compliance Finding: ${activity}`,
    severity_id: SEVERITY[severity],
    severity,
    status_id: FINDING_STATUS[status],
    status,
    time,
    message: detail?.message ?? title,
    metadata: metadataOf(entry, version),
    finding_info: {
      uid: [subject, enrollment ?? entry.chain].join('/'),
      title,
      ...(detail?.message !== undefined && { desc: detail.message }),
      types: [type],
      ...(activity === 'Create' ? { created_time: time } : { modified_time: time }),
    },
    compliance: {
      standards: ['Rollcall policy'],
      control: rule ?? 'none',
      requirements: after?.desired == null ? [] : [`${enrollment ?? 'enrollment'} is ${after.desired}`],
      status_id: COMPLIANCE_STATUS[compliance],
      status: compliance,
      ...(after !== null && { status_code: after.verdict }),
      ...(reason !== null && { status_detail: reason }),
    },
    resources: [
      accountId === null
        ? { uid: subject, type: 'AWS::Organizations::Organization' }
        : { uid: accountId, type: 'AWS::Organizations::Account' },
    ],
    unmapped: { rollcall: entry },
  };
}

function metadataOf({ id, seq, type, at, runId }: LedgerEntry, version: string) {
  return {
    version: OCSF_VERSION,
    product: { name: 'Rollcall', vendor_name: 'Rollcall', version },
    uid: id,
    sequence: seq,
    event_code: type,
    original_time: at,
    ...(runId !== null && { correlation_uid: runId }),
  };
}
