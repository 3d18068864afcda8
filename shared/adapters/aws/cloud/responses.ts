import * as z from 'zod';
import type { EnrollmentStatus, RuleMode } from '../../../domain/enrollment/model.ts';
import type { CallKey, ListedEnrollment, Observed } from '../../../ports/cloud.ts';
import type { Session } from './call-pipeline.ts';
import { ownError, UNEXPECTED_ANSWER } from './cloud-errors.ts';

/* Schemas for the members of AWS's answers that Rollcall uses. All other members are ignored. */
export const accountId = z.string().regex(/^\d{12}$/, 'is not a 12-digit account id');
const optionalText = z.string().nullish();

const enrollment = z.object({
  status: z.string(),
  statusReason: optionalText.catch(null),
  organizationRuleMode: optionalText,
  lastUpdatedTimestamp: z.date().nullish(),
});
/** The accounts of a listing page. `toPage` checks the other members, so that one unreadable account does not break the page. */
export const listedAccounts = z.array(z.looseObject({ accountId }));
export const pageToken = optionalText;

/** The call that an answer belongs to. */
export interface Answered {
  readonly key: CallKey;
  readonly session: Pick<Session, 'accountId'>;
}

/** Validates an answer. @throws CloudError `UnexpectedAnswer`, which names the first difference */
export function checked<T>(schema: z.ZodType<T>, answer: unknown, { key, session }: Answered): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.map(String).join('.');
  const message = `${key.operation} returned an answer that AWS does not document: ${where}: ${issue?.message ?? 'unreadable'}.`;
  throw ownError('Invalid', UNEXPECTED_ANSWER, { ...key, accountId: session.accountId }, message);
}

/** The enrollment of one account. @throws CloudError `UnexpectedAnswer`, also for a status that this version does not know */
export function observedEnrollment(answer: unknown, answered: Answered): Observed {
  const known = checked(enrollment, answer, answered);
  const observed = toObserved(known);
  if (observed !== null) return observed;
  const { key, session } = answered;
  const message = `${key.operation} returned ${unknownValue(known)}, which this version does not know. The answer is ignored.`;
  throw ownError('Invalid', UNEXPECTED_ANSWER, { ...key, accountId: session.accountId }, message);
}

/** The observed state of an account that has never opted in [API_automation_GetEnrollmentConfiguration, its errors]. */
export const NEVER_ENROLLED: Observed = {
  kind: 'observed',
  status: 'Inactive',
  ruleMode: null,
  statusReason: null,
  lastUpdated: null,
};

export interface EnrollmentPage {
  readonly items: readonly ListedEnrollment[];
  readonly nextToken: string | null;
  /** Accounts that this version cannot read, each with the unreadable value. */
  readonly leftOut: readonly { readonly accountId: string; readonly why: string }[];
}

type Enrollment = z.infer<typeof enrollment>;

/** What a kind reads of a listed account beyond its enrollment; `why`: a value that this version cannot read. */
export type FurtherFacts = Pick<ListedEnrollment, 'ruleModeSource'> | { readonly why: string };

/** A listing page, without the accounts that this version cannot read. */
export function toPage(
  accounts: z.infer<typeof listedAccounts>,
  nextToken: string | null | undefined,
  furtherFacts: (account: unknown) => FurtherFacts = () => ({}),
): EnrollmentPage {
  const items: ListedEnrollment[] = [];
  const leftOut: { accountId: string; why: string }[] = [];
  for (const account of accounts) {
    const { accountId } = account;
    const read = enrollment.safeParse(account);
    const observed = read.success ? toObserved(read.data) : null;
    if (observed === null) {
      leftOut.push({ accountId, why: read.success ? unknownValue(read.data) : unreadable(read.error) });
      continue;
    }
    const further = furtherFacts(account);
    if ('why' in further) leftOut.push({ accountId, why: further.why });
    else items.push({ accountId, observed, ...further });
  }
  return { items, nextToken: nextToken || null, leftOut };
}

function toObserved(answer: Enrollment): Observed | null {
  const { status, organizationRuleMode: ruleMode } = answer;
  if (!isStatus(status) || (ruleMode != null && !isRuleMode(ruleMode))) return null;
  return {
    kind: 'observed',
    status,
    ruleMode: ruleMode ?? null,
    statusReason: shortText(answer.statusReason),
    lastUpdated: answer.lastUpdatedTimestamp?.getTime() ?? null,
  };
}

/** Describes the part of an account that a schema rejects. */
export function unreadable({ issues: [issue] }: z.ZodError): string {
  return `an unreadable ${issue?.path.map(String).join('.') ?? 'entry'} (${issue?.message ?? 'unreadable'})`;
}

function isStatus(value: string): value is EnrollmentStatus {
  return value === 'Active' || value === 'Inactive' || value === 'Pending' || value === 'Failed';
}

export function isRuleMode(value: string): value is RuleMode {
  return value === 'AnyAllowed' || value === 'NoneAllowed';
}

function unknownValue({ status, organizationRuleMode }: Enrollment): string {
  return isStatus(status)
    ? `organization rule mode ${JSON.stringify(organizationRuleMode)}`
    : `status ${JSON.stringify(status)}`;
}

/** AWS's reason in the answer to a change. Never throws, because an unusual answer does not mean that the change failed. */
export function statusReasonOf(answer: unknown): string | null {
  return typeof answer === 'object' && answer !== null && 'statusReason' in answer
    ? shortText(answer.statusReason)
    : null;
}

/** Maximum length of a text from an answer, characters, because ledger entries and events have size limits. */
const MAX_TEXT = 1_000;

/** A text from an answer, shortened if it is very long; `null` for anything but a text that is not empty. */
export function shortText(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT).toWellFormed()}…` : value;
}
