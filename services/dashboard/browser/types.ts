/** Types of the API's answers, derived from its schemas. The schemas themselves are not in the bundle. */
import type { EnrollmentId } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Answer } from '../../api/schemas.ts';

export type Status = Answer<'Status'>;
export type Overview = Answer<'Overview'>;
export type Markers = Answer<'Markers'>;
export type Verification = Answer<'Verification'>;
export type AccountsAnswer = Answer<'Accounts'>;
export type AccountRow = Answer<'AccountRow'>;
export type Account = Answer<'Account'>;
export type Condition = NonNullable<Account['enrollments'][EnrollmentId]>;
export type Explanation = Answer<'Explanation'>;
export type AuditPage = Answer<'AuditPage'>;
export type AsOf = Answer<'AsOf'>;
export type Report = Answer<'Report'>;
export type Entry = Answer<'LedgerEntry'>;
export type Facet = NonNullable<Entry['before']>;
export type Run = Answer<'Run'>;
export type Runs = Answer<'Runs'>;
export type RunDetail = Answer<'RunDetail'>;
export type Policy = Answer<'Policy'>;
export type Limiter = Answer<'Limiter'>;
export type WhoAmI = Answer<'WhoAmI'>;
export type Progress = Answer<'Progress'>;
export type DeadLetters = Answer<'DeadLetters'>;
