import type * as z from 'zod';
import * as accounts from '../../shared/app/queries/answers/accounts.ts';
import * as common from '../../shared/app/queries/answers/common.ts';
import { markersAnswer, overviewAnswer } from '../../shared/app/queries/answers/overview.ts';
import * as runs from '../../shared/app/queries/answers/runs.ts';
import * as status from '../../shared/app/queries/answers/status.ts';
import * as audit from './schemas/audit.ts';
import * as live from './schemas/live.ts';
import * as operate from './schemas/operate.ts';
import * as policy from './schemas/policy.ts';

/** The schema of every answer, by its name in the OpenAPI document. */
export const SCHEMAS = {
  Problem: common.problem,
  LedgerEntry: common.ledgerEntry,
  Health: status.health,
  WhoAmI: status.whoami,
  Status: status.statusSchema,
  Overview: overviewAnswer,
  Markers: markersAnswer,
  Limiter: status.limiterAnswer,
  Queue: status.queueAnswer,
  DeadLetter: status.deadLetter,
  DeadLetters: status.deadLettersAnswer,
  AccountRow: accounts.accountRow,
  Accounts: accounts.accountsAnswer,
  Account: accounts.accountAnswer,
  Explanation: accounts.explanation,
  AuditPage: audit.auditPage,
  AuditExport: audit.auditExport,
  AuditSummary: audit.auditSummary,
  ShownEntry: audit.entryAnswer,
  AsOf: audit.asOfAnswer,
  Report: audit.report,
  Verification: audit.verification,
  Checkpoint: audit.checkpoint,
  EntryProof: audit.entryProof,
  Run: runs.run,
  Runs: runs.runsAnswer,
  RunDetail: runs.runAnswer,
  RunChanges: runs.runChangesAnswer,
  Match: policy.match,
  Policy: policy.policyAnswer,
  PolicyVersions: policy.versionsAnswer,
  PolicyChange: policy.changeAnswer,
  ScanAsked: operate.scanAsked,
  Halt: operate.haltAnswer,
  Suspension: operate.suspendAnswer,
  Resumption: operate.resumeAnswer,
  Check: operate.checkAnswer,
  Approval: operate.approveAnswer,
  Redrive: operate.redriveAnswer,
  Reaction: operate.reaction,
  Progress: live.progress,
  Gap: live.gap,
} as const;
export type SchemaName = keyof typeof SCHEMAS;

/** The type of an answer, for clients such as the dashboard: `Answer<'Status'>`. */
export type Answer<N extends SchemaName> = z.output<(typeof SCHEMAS)[N]>;
