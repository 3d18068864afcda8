import type { CronSpec } from '../cron.ts';
import {
  ENROLLMENT_IDS,
  type EnrollmentId,
  type EVERY_ENROLLMENT,
  kindOf,
  kindsInUse,
} from '../enrollment/kinds/index.ts';
import type { WindowSpec } from './change-windows.ts';
import type { Secret } from './file/secret.ts';

/** The desired status of an enrollment; `unmanaged`: Rollcall neither reports nor changes it. */
export type DesiredStatus = 'Active' | 'Inactive' | 'unmanaged';
/** The desired organization rule mode of Automation. */
type DesiredRuleMode = 'AnyAllowed' | 'NoneAllowed' | 'unmanaged';
/** `enforce` remediates drift, `alert` only reports it, `off` does not evaluate. */
type Mode = 'enforce' | 'alert' | 'off';

/** The fields that rules and defaults decide independently of each other: a status for each enrollment kind, the rule mode and the mode. */
export interface Settings extends Readonly<Record<EnrollmentId, DesiredStatus>> {
  readonly organizationRules: DesiredRuleMode;
  readonly mode: Mode;
}
export type Field = keyof Settings;
/** The fields that describe desired state in AWS. */
export const DESIRED_FIELDS = [...ENROLLMENT_IDS, 'organizationRules'] as const;
export const FIELDS = [...DESIRED_FIELDS, 'mode'] as const;

/** The fields to show for an account: a kind of a later release only if it is managed. */
export function shownFields(desired: Readonly<Record<EnrollmentId, { readonly value: string }>>): readonly Field[] {
  const shown: ReadonlySet<string> = new Set(kindsInUse((id) => desired[id].value !== 'unmanaged').map(({ id }) => id));
  const hidden: ReadonlySet<string> = new Set(ENROLLMENT_IDS.filter((id) => !shown.has(id)));
  return FIELDS.filter((field) => !hidden.has(field));
}

/** The fields that describe the desired state of one enrollment. */
export function fieldsOf(enrollment: EnrollmentId): readonly (typeof DESIRED_FIELDS)[number][] {
  return kindOf(enrollment).hasRuleMode ? [enrollment, 'organizationRules'] : [enrollment];
}

/** A selector: all given conditions must hold; a list means any of its values. An OU path covers everything below it, too. */
export interface Match {
  readonly accounts?: readonly string[];
  readonly name?: readonly string[];
  readonly ou?: readonly string[];
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  readonly not?: Match;
}

export interface Rule {
  readonly id: string;
  readonly match: Match;
  /** Only the fields that this rule sets. */
  readonly sets: Partial<Settings>;
}

export interface Exemption {
  readonly accounts: readonly string[];
  readonly enrollment: EnrollmentId | typeof EVERY_ENROLLMENT;
  /** The last day, `YYYY-MM-DD`, in UTC. */
  readonly until: string;
  /** Epoch ms of the first instant after that day: in force while `now < endsAt`. */
  readonly endsAt: number;
  /** Epoch ms, 7 days before `endsAt`. The end is announced from then on. */
  readonly announceAt: number;
  readonly reason: string;
  readonly owner: string;
  /** Its path in the file, e.g. `exemptions[0]`. */
  readonly path: string;
}

/** A run may change max(atLeast, percent of the accounts in scope) accounts; 0 and 0 mean none. */
interface Cap {
  readonly percent: number;
  readonly atLeast: number;
}

export interface Guardrails {
  readonly maxChanges: Cap;
  readonly maxOptOuts: Cap;
  /** Percent. */
  readonly minCoverage: number;
  /** Percent. */
  readonly failureTolerance: number;
}

export type Schedule = { readonly everyMs: number } | CronSpec;

export const WEBHOOK_EVENTS = ['drift', 'failed', 'blocked', 'stalled', 'guardrail', 'halt'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface Notify {
  readonly eventBus: string | null;
  readonly webhook: {
    /** As written, with `${VAR}`. */
    readonly urlTemplate: string;
    /** With the variables filled in; never printed. `null`: this process sends no messages and has no variables. */
    readonly url: Secret | null;
    readonly events: readonly WebhookEvent[];
    /** The secret that signs its messages, as written: `${VAR}`. `null`: not signed. */
    readonly secretTemplate: string | null;
    readonly secret: Secret | null;
  } | null;
}

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

/** The positions of the parts of a file, for findings. */
export interface FileSource {
  readonly file: string;
  /** By path, e.g. `rules[2].match.ou`. */
  readonly places: ReadonlyMap<string, Place>;
}

export interface PolicySource extends FileSource {
  /** The text as people may see it: without secrets, with the lines of the file. */
  readonly text: string;
}

export interface Limits {
  /** Calls a second of all workers and operations together; `auto`: no total, each operation adapts to what AWS accepts. */
  readonly callsPerSecond: number | 'auto';
  readonly concurrency: number;
}

/** A checked policy with every default filled in. `null`: the section was not written. */
export interface Policy {
  readonly version: 1;
  readonly organization: {
    readonly memberRole: string;
    readonly externalId: string | null;
    readonly organizationEnrollment: 'never' | 'auto';
    /** Organization enrollment configurations: `observe` respects them and changes none, `manage` plans and changes them. */
    readonly automationConfigurations: 'observe' | 'manage';
  };
  readonly defaults: Settings;
  readonly rules: readonly Rule[];
  readonly exemptions: readonly Exemption[];
  readonly guardrails: Guardrails;
  readonly rollout: { readonly canary: { readonly match: Match; readonly waitMs: number } } | null;
  readonly windows: readonly WindowSpec[] | null;
  readonly limits: Limits;
  readonly schedule: Schedule;
  readonly retentionMs: number | null;
  readonly pendingDeadlineMs: number;
  readonly notify: Notify | null;
  readonly source: PolicySource;
}

/** The properties of an account that rules can match. */
export interface OrganizationAccount {
  /** 12 digits. */
  readonly id: string;
  /** Empty: AWS did not return it. A real name is never empty. */
  readonly name: string;
  /** Path of OU names from the root: `/` directly under it, else `/A/B`. */
  readonly ou: string;
  /** The ids of the root and of each OU on the path, from the root down. Absent: read by a version before 0.3. */
  readonly unitIds?: readonly string[];
  /** `UNKNOWN`: AWS reports a state that this version does not know; the account is not changed. */
  readonly state: 'ACTIVE' | 'SUSPENDED' | 'PENDING_ACTIVATION' | 'PENDING_CLOSURE' | 'CLOSED' | 'UNKNOWN';
  readonly management: boolean;
  /** null: not read, or AWS gave no usable answer for this account. An account without tags has an empty object. */
  readonly tags: Readonly<Record<string, string>> | null;
}

/** A value and what decided it: the id of a rule, or `defaults`. */
export interface Decided<T> {
  readonly value: T;
  readonly rule: string;
}

export interface Contradiction {
  /** `rulesNeedAutomation`, `automationNeedsComputeOptimizer`, and so on for each kind. */
  readonly code: string;
  readonly message: string;
  /** The enrollments that cannot be reconciled because of it. */
  readonly enrollments: readonly EnrollmentId[];
}

export interface DecidedSettings extends Readonly<Record<EnrollmentId, Decided<DesiredStatus>>> {
  readonly organizationRules: Decided<DesiredRuleMode>;
  readonly mode: Decided<Mode>;
}

export interface DesiredState extends DecidedSettings {
  /** null if the fields are compatible or the mode is `off`. */
  readonly contradiction: Contradiction | null;
}

/** The result of one condition of a match for one account. */
export interface ConditionResult {
  readonly condition: 'accounts' | 'name' | 'ou' | 'tags' | 'not';
  readonly holds: boolean;
  readonly why: string;
}

export interface Explanation {
  readonly account: OrganizationAccount;
  readonly desired: DesiredState;
  /** All rules in the order of the file, then `defaults`. */
  readonly rules: readonly {
    readonly id: string;
    readonly matched: boolean;
    readonly conditions: readonly ConditionResult[];
    /** Fields that this rule decided. */
    readonly decided: readonly Field[];
    /** Fields that it sets although an earlier rule had decided them. */
    readonly overruled: readonly { readonly field: Field; readonly by: string }[];
  }[];
  readonly canary: boolean;
}
