import type * as z from 'zod';
import { FOREVER, type RegisterInfo } from './document-info.ts';
import { LOG_REGISTERS } from './log-registers.ts';
import type { StoredDocument } from './typed-register.ts';

const WEEK = '7 days after the run began';

/** All registers. A reader refuses content of another shape, so an upgrade may only add fields that have a default. */
export const REGISTERS = {
  organization: {
    name: 'organization',
    purpose: 'The organization that the store belongs to',
    owner: 'coordination/organization-binding',
    lifetime: FOREVER,
    restore: 'merged',
  },
  policy: {
    name: 'policy',
    purpose: 'Hash of the policy in force: the policy of the last scan',
    owner: 'coordination/policy-in-force',
    lifetime: FOREVER,
    restore: 'merged',
  },
  lease: {
    name: 'lease/',
    purpose: 'Holder and expiry of a lease',
    owner: 'coordination/lease',
    lifetime: 'Until the holder releases the lease; another process may take it after its expiry',
    restore: 'current',
  },
  run: {
    name: 'run/',
    purpose: 'State of a run that all workers share: counts, binding to a plan, stop',
    owner: 'coordination/run-store',
    lifetime: WEEK,
    restore: 'merged',
  },
  runPlan: {
    name: 'run-plan/',
    purpose: 'The changes that a run planned, follow-ups included',
    owner: 'coordination/run-store',
    lifetime: WEEK,
    restore: 'backup',
  },
  runStops: {
    name: 'run-stops',
    purpose: 'Runs that failures stopped or are about to stop, until the audit log has the entry',
    owner: 'ledger/run-stops',
    lifetime: 'Until the audit log has the entry of the run',
    restore: 'backup',
  },
  plan: {
    name: 'plan/',
    purpose: 'A plan by its hash, for approvals and for runs that are bound to it',
    owner: 'coordination/run-store',
    lifetime: '7 days after it was last found',
    restore: 'backup',
  },
  appliedPlan: {
    name: 'applied-plan/',
    purpose: 'The first run that made the changes of a saved plan',
    owner: 'plan/applied-plans',
    lifetime: '400 days after that run began',
    restore: 'currentOrBackup',
  },
  limiter: {
    name: 'limiter/',
    purpose: 'The rate limiter’s slots and the budget of each operation',
    owner: 'rate-limiter/shared-state',
    lifetime: `${FOREVER}; budgets of operations that are no longer called are removed`,
    restore: 'current',
  },
  controls: {
    name: 'controls',
    purpose: 'Kill switch, suspensions, and notices that are not in the audit log yet',
    owner: 'guardrails/controls',
    lifetime: FOREVER,
    restore: 'merged',
  },
  approval: {
    name: 'approval/',
    purpose: 'The approval of a plan and whether it was used',
    owner: 'guardrails/approvals',
    lifetime: '7 days after its expiry',
    restore: 'merged',
  },
  approvalsUntil: {
    name: 'approvals-until',
    purpose: 'When the newest approval expires; until then each tick looks for approvals',
    owner: 'guardrails/approvals',
    lifetime: FOREVER,
    restore: 'dropped',
  },
  rollout: {
    name: 'rollout',
    purpose: 'The rollout gate of the policy in force',
    owner: 'guardrails/rollout-gate',
    lifetime: FOREVER,
    restore: 'merged',
  },
  configurations: {
    name: 'configurations',
    purpose: 'The organization enrollment configurations that Rollcall stored in AWS',
    owner: 'guardrails/own-configurations',
    lifetime: 'Until Rollcall deletes the configuration',
    restore: 'currentOrBackup',
  },
  reservedChanges: {
    name: 'claimed-changes',
    purpose: 'Changes of the last 30 seconds, which the index of the audit log may not contain yet',
    owner: 'guardrails/change-reservations',
    lifetime: '30 seconds for each change',
    restore: 'dropped',
  },
  changesBeforeRestore: {
    name: 'changes-before-restore',
    purpose: 'Changes that the change caps count, but that a restore removed from the audit log',
    owner: 'guardrails/rolling-changes',
    lifetime: '24 hours for each change',
    restore: 'merged',
  },
  waitingRun: {
    name: 'waiting-run',
    purpose: 'The last run that assessed the changes waiting for a change window',
    owner: 'guardrails/window-run',
    lifetime: FOREVER,
    restore: 'backup',
  },
  scan: {
    name: 'scan',
    purpose: 'The scan that is requested or running, or the last one',
    owner: 'schedule/scan-schedule',
    lifetime: FOREVER,
    restore: 'merged',
  },
  scanRequest: {
    name: 'scan-wish',
    purpose: 'The request of an event for an early scan',
    owner: 'schedule/scan-requests',
    lifetime: `${FOREVER}; a scan that begins later makes it obsolete`,
    restore: 'currentOrBackup',
  },
  bulkRelease: {
    name: 'set-free',
    purpose: 'When a bulk release last requested a scan',
    owner: 'work-queue/bulk-release',
    lifetime: FOREVER,
    restore: 'backup',
  },
  accountOverrides: {
    name: 'refreshed',
    purpose: 'Accounts that an event re-read after the snapshot was taken, as they were read',
    owner: 'survey/account-overrides',
    lifetime: 'One hour for each account, at most 500 accounts and 150,000 characters',
    restore: 'dropped',
  },
  checkpoint: {
    name: 'checkpoint/',
    purpose: 'AWS answers of an unfinished scan. The newest signed checkpoint is in `log-checkpoint`, not here',
    owner: 'scan/checkpoint',
    lifetime: 'Until the scan ends or another run begins',
    restore: 'dropped',
  },
  trustedAccess: {
    name: 'trusted-access',
    purpose: 'Whether the organization trusted Compute Optimizer when AWS was last asked',
    owner: 'scan/trusted-access',
    lifetime: FOREVER,
    restore: 'backup',
  },
  changedBy: {
    name: 'changed-by/',
    purpose: 'The last change to an account by another caller, for the entry that records the drift',
    owner: 'events/change-attribution',
    lifetime: `${FOREVER}; the next change overwrites it`,
    restore: 'backup',
  },
  eventThrottle: {
    name: 'reactor',
    purpose: 'Accounts that events reported in the last minute, and the reads of Organizations that they caused',
    owner: 'events/event-throttle',
    lifetime: 'One minute for each account',
    restore: 'currentOrBackup',
  },
  exemptions: {
    name: 'exemptions',
    purpose: 'Which exemptions were announced as expiring or expired',
    owner: 'operator/exemption-notices',
    lifetime: 'As long as the policy contains the exemption',
    restore: 'currentOrBackup',
  },
  alerts: {
    name: 'alerts',
    purpose: 'The webhook’s position in the audit log and its unsent message',
    owner: 'notifications/webhook-alerts',
    lifetime: FOREVER,
    restore: 'currentOrBackup',
  },
  busRefusal: {
    name: 'refused-by-bus',
    purpose: 'The last entry that the event bus refused, and why',
    owner: 'notifications/outbox-state',
    lifetime: `${FOREVER}; the next refusal overwrites it`,
    restore: 'backup',
  },
  recordCatchUp: {
    name: 'caught-up',
    purpose: 'Until when all entries are known to have reached their account records',
    owner: 'ledger/record-catch-up',
    lifetime: FOREVER,
    restore: 'backup',
  },
  digest: {
    name: 'digest',
    purpose: 'The last daily digest and its place in the organization’s chain',
    owner: 'ledger/digest',
    lifetime: FOREVER,
    restore: 'backup',
  },
  digestList: {
    name: 'digest-list/',
    purpose: 'The end of every chain that a digest covers',
    owner: 'ledger/digest',
    lifetime: '100 days',
    restore: 'backup',
  },
  verification: {
    name: 'verification',
    purpose: 'Result and time of the last verification of the audit log',
    owner: 'runtime/verification',
    lifetime: `${FOREVER}; the next verification overwrites it`,
    restore: 'dropped',
  },
  retention: {
    name: 'retention',
    purpose: 'When to look next for entries older than the retention',
    owner: 'ledger/retention',
    lifetime: FOREVER,
    restore: 'currentOrBackup',
  },
  deadLetter: {
    name: 'deadLetter/',
    purpose: 'Dead letters that have an entry in the audit log',
    owner: 'ledger/dead-letter-entries',
    lifetime: '15 days, one more than the dead letter itself',
    restore: 'backup',
  },
  ...LOG_REGISTERS,
} as const satisfies Record<string, RegisterInfo>;

/** What the catalogue says about the register `name`; `null`: it is not in the catalogue. */
export function registerInfo(name: string): RegisterInfo | null {
  const all: readonly RegisterInfo[] = Object.values(REGISTERS);
  return all.find((info) => (info.name.endsWith('/') ? name.startsWith(info.name) : name === info.name)) ?? null;
}

/** Registers of one shape whose names begin with `prefix`. */
export interface DocumentFamily<T> {
  readonly prefix: string;
  readonly schema: z.ZodType<T>;
  /** The register of this family whose name is the prefix followed by `rest`. */
  readonly named: (rest: string) => StoredDocument<T>;
}

type Family = RegisterInfo & { readonly name: `${string}/` };

/** Combines an entry of {@link REGISTERS} with the schema of its content. */
export function storedDocument<T>(
  { name }: Exclude<(typeof REGISTERS)[keyof typeof REGISTERS], Family>,
  schema: z.ZodType<T>,
): StoredDocument<T> {
  return { name, schema };
}

/** Combines a family of registers in {@link REGISTERS} with the schema of their content. */
export function documentFamily<T>({ name: prefix }: Family, schema: z.ZodType<T>): DocumentFamily<T> {
  return { prefix, schema, named: (rest) => ({ name: `${prefix}${rest}`, schema }) };
}
