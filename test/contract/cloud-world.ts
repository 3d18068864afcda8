import { expect } from 'vitest';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EngineOptions } from '../../services/sandbox/engine/options.ts';
import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import {
  type CallGate,
  type Cloud,
  CloudError,
  type CloudErrorKind,
  type ListedEnrollment,
  type Page,
} from '../../shared/ports/cloud.ts';
import type { ManualClock } from '../support/manual-clock.ts';

/** The caller; `member` is an account that may neither read nor change the organization. */
export type CallerRole = 'management' | 'delegatedAdministrator' | 'member';

export interface WorldOptions {
  readonly sandbox?: Partial<EngineOptions>;
  readonly caller?: CallerRole;
  /** Receives every call. Calls are recorded in `World.calls` too. */
  readonly gate?: CallGate;
}

/** An adapter in front of a simulated organization, whose true state the tests compare with. */
export interface World {
  readonly cloud: Cloud;
  readonly sandbox: Sandbox;
  /** The time of both. */
  readonly clock: ManualClock;
  /** The calls of the gate, `acquire` and `report`, with their operation, in order. */
  readonly calls: readonly GateCall[];
  close(): Promise<void>;
}

export interface GateCall {
  readonly what: 'acquire' | 'ok' | 'throttled' | 'failed';
  readonly operation: string;
}

export type MakeCloud = (options: WorldOptions) => Promise<World>;

export type Promised = (open: (options?: WorldOptions) => Promise<World>) => Promise<void>;

/** A gate that records its calls and forwards them to the gate of the test. */
export function recordingGate(calls: GateCall[], inner?: CallGate): CallGate {
  return {
    async acquire(key) {
      calls.push({ what: 'acquire', operation: key.operation });
      await inner?.acquire(key);
    },
    report(key, outcome) {
      calls.push({ what: outcome, operation: key.operation });
      inner?.report(key, outcome);
    },
  };
}

/** The CloudError of a call. Fails the test if the call succeeds. */
export async function failureOf(call: Promise<unknown>): Promise<CloudError> {
  const outcome = await call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof CloudError) return outcome.error;
  throw new Error(`expected a CloudError, got ${JSON.stringify(outcome)}`);
}

/** All pages of a listing, and their number. */
export async function listAll(list: (token: string | null) => Promise<Page<ListedEnrollment>>) {
  const items: ListedEnrollment[] = [];
  let pages = 0;
  let token: string | null = null;
  do {
    const page: Page<ListedEnrollment> = await list(token);
    items.push(...page.items);
    pages += 1;
    token = page.nextToken;
  } while (token !== null);
  return { items, pages };
}

export function isPlainMember(world: World) {
  const { delegatedAdministratorId } = world.sandbox.info();
  return ({ management, state, accountId }: AccountTruth): boolean =>
    !management && state === 'ACTIVE' && accountId !== delegatedAdministratorId;
}

export function findMember(world: World, fits: (account: AccountTruth) => boolean = () => true): AccountTruth {
  const isMember = isPlainMember(world);
  const found = world.sandbox.accounts().find((each) => isMember(each) && fits(each));
  if (found === undefined) throw new Error('the sandbox has no such member');
  return found;
}

/** Sets the initial enrollments of an account. */
export function set(
  { sandbox }: World,
  accountId: string,
  enrollment: EnrollmentId,
  status: 'Active' | 'Inactive' | 'Failed' | 'Pending',
): void {
  sandbox.drift({ changes: [{ accountId, enrollment, status }] });
}

export function truthOf({ sandbox }: World, accountId: string): AccountTruth {
  const [found] = sandbox.accounts(accountId);
  if (found === undefined) throw new Error(`the sandbox has no account ${accountId}`);
  return found;
}

/** The number of calls of an operation, by any caller. */
export function countOf({ sandbox }: World, operation: string): number {
  return sandbox
    .calls()
    .filter((call) => call.operation === operation)
    .reduce((sum, { count }) => sum + count, 0);
}

/** Retries retryable errors, at most ten times. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 10 || !(error instanceof CloudError) || !error.retryable) throw error;
    }
  }
}

/** AWS's error codes and their classification. Each is injected into the same call. */
export const KINDS: readonly (readonly [code: string, kind: CloudErrorKind, ambiguous: boolean])[] = [
  ['ThrottlingException', 'Throttled', false],
  ['ServiceUnavailableException', 'Transient', false],
  ['InternalServerException', 'Transient', false],
  ['IdempotencyTokenInUseException', 'Transient', false],
  ['AccessDeniedException', 'Denied', false],
  ['NotManagementAccountException', 'Denied', false],
  ['ForbiddenException', 'Denied', true],
  ['OptInRequiredException', 'Prerequisite', false],
  ['ResourceNotFoundException', 'Prerequisite', false],
  ['InvalidParameterValueException', 'Invalid', true],
  ['IdempotentParameterMismatchException', 'Conflict', false],
];

export function sorted<T extends { readonly id: string }>(accounts: readonly T[]): T[] {
  return [...accounts].sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** AWS's timestamps have at most milliseconds, and the protocol may use whole seconds. */
const about = (date: Date) => expect.closeTo(date.getTime(), -3);

export function computeOptimizerOf({ computeOptimizer: { status, statusReason, lastUpdatedTimestamp } }: AccountTruth) {
  return { kind: 'observed', status, ruleMode: null, statusReason, lastUpdated: about(lastUpdatedTimestamp) };
}

export function automationOf({ automation }: AccountTruth) {
  const { status, statusReason, organizationRuleMode: ruleMode, lastUpdatedTimestamp } = automation;
  return { kind: 'observed', status, ruleMode, statusReason, lastUpdated: about(lastUpdatedTimestamp) };
}

export function hubOf({ costOptimizationHub: { status, lastUpdatedTimestamp } }: AccountTruth) {
  return { kind: 'observed', status, ruleMode: null, statusReason: null, lastUpdated: about(lastUpdatedTimestamp) };
}

const SOURCE_TYPES = { Applied: 'applied', Inherited: 'inherited', Direct: 'direct', Default: 'default' } as const;

export function ruleModeSourceOf({ automation: { organizationRuleModeSource: source } }: AccountTruth) {
  return source && { type: SOURCE_TYPES[source.sourceType], targetId: source.sourceTargetId ?? null };
}
