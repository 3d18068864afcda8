import * as z from 'zod';
import type { EnrollmentStatus, RuleMode } from '../../../domain/enrollment/model.ts';
import type { CallKey, ListedEnrollment, Observed } from '../../../ports/cloud.ts';
import type { Session } from './call-pipeline.ts';
import { ownError, UNEXPECTED_ANSWER } from './cloud-errors.ts';

/** What AWS answers is outside data: these are the shapes that are relied on, everything else in an answer is ignored. */
export const accountId = z.string().regex(/^\d{12}$/, 'is not a 12-digit account id');
const optionalText = z.string().nullish();

const enrollment = z.object({
  status: z.string(),
  statusReason: optionalText.catch(null),
  organizationRuleMode: optionalText,
  lastUpdatedTimestamp: z.date().nullish(),
});
const listed = z.array(z.looseObject({ accountId }));
const statusesPage = z.object({ accountEnrollmentStatuses: listed, nextToken: optionalText });
const accountsPage = z.object({ accounts: listed, nextToken: optionalText });

export interface Answered {
  readonly key: CallKey;
  readonly session: Pick<Session, 'accountId'>;
}

/** @throws CloudError `UnexpectedAnswer` that says where the answer differs from what AWS documents. */
export function checked<T>(schema: z.ZodType<T>, answer: unknown, { key, session }: Answered): T {
  const result = schema.safeParse(answer);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.map(String).join('.');
  throw ownError(
    'Invalid',
    UNEXPECTED_ANSWER,
    { ...key, accountId: session.accountId },
    `${key.operation} answered something that AWS does not document: ${where}: ${issue?.message ?? 'unreadable'}.`,
  );
}

/** One account's own enrollment. @throws CloudError `UnexpectedAnswer`, for a status that is not known as well. */
export function observedEnrollment(answer: unknown, answered: Answered): Observed {
  const known = checked(enrollment, answer, answered);
  const observed = toObserved(known);
  if (observed === null) {
    throw ownError(
      'Invalid',
      UNEXPECTED_ANSWER,
      { ...answered.key, accountId: answered.session.accountId },
      `${answered.key.operation} answered ${unknownValue(known)}, which this version does not know: nothing is concluded from it.`,
    );
  }
  return observed;
}

/** AWS's way to say that an account has never opted in [API_automation_GetEnrollmentConfiguration, its errors]. */
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
  /** Accounts whose status, rule mode or time this version cannot read, with the value found. */
  readonly leftOut: readonly { readonly accountId: string; readonly why: string }[];
}

export function computeOptimizerPage(answer: unknown, answered: Answered): EnrollmentPage {
  const page = checked(statusesPage, answer, answered);
  return toPage(page.accountEnrollmentStatuses, page.nextToken);
}

export function automationPage(answer: unknown, answered: Answered): EnrollmentPage {
  const page = checked(accountsPage, answer, answered);
  return toPage(page.accounts, page.nextToken);
}

type Enrollment = z.infer<typeof enrollment>;

function toPage(accounts: z.infer<typeof listed>, nextToken: string | null | undefined): EnrollmentPage {
  const items: ListedEnrollment[] = [];
  const leftOut: { accountId: string; why: string }[] = [];
  for (const account of accounts) {
    const read = enrollment.safeParse(account);
    const observed = read.success ? toObserved(read.data) : null;
    if (observed !== null) items.push({ accountId: account.accountId, observed });
    else
      leftOut.push({
        accountId: account.accountId,
        why: read.success ? unknownValue(read.data) : unreadable(read.error),
      });
  }
  return { items, nextToken: nextToken || null, leftOut };
}

function toObserved(answer: Enrollment): Observed | null {
  const { status, organizationRuleMode: ruleMode } = answer;
  if (!isStatus(status) || (ruleMode != null && !isRuleMode(ruleMode))) {
    return null;
  }
  return {
    kind: 'observed',
    status,
    ruleMode: ruleMode ?? null,
    statusReason: textOrNull(answer.statusReason),
    lastUpdated: answer.lastUpdatedTimestamp?.getTime() ?? null,
  };
}

function unreadable({ issues: [issue] }: z.ZodError): string {
  return `an unreadable ${issue?.path.map(String).join('.') ?? 'entry'} (${issue?.message ?? 'unreadable'})`;
}

function isStatus(value: string): value is EnrollmentStatus {
  return value === 'Active' || value === 'Inactive' || value === 'Pending' || value === 'Failed';
}

function isRuleMode(value: string): value is RuleMode {
  return value === 'AnyAllowed' || value === 'NoneAllowed';
}

function unknownValue({ status, organizationRuleMode }: Enrollment): string {
  return isStatus(status)
    ? `organization rule mode ${JSON.stringify(organizationRuleMode)}`
    : `status ${JSON.stringify(status)}`;
}

/** So that no text from outside makes a ledger entry, a message or an event larger than what stores them takes, characters. */
const MAX_TEXT = 1_000;

/** The text of an answer that is only passed on, never concluded from; its beginning, if it is very long. */
export function textOrNull(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT).toWellFormed()}…` : value;
}
