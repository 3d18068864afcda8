import { expect } from 'vitest';
import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { Stores } from '../../shared/app/context.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import { actionOf, ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import {
  checkLink,
  EMPTY_CHAIN,
  headOf,
  type LedgerEntry,
  ORGANIZATION_CHAIN,
} from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { readDrift } from './drifts.ts';
import type { MutatingCall, Touched } from './wire-log.ts';
import { readRecords, type World } from './world.ts';

export interface Allowed {
  /** Drift that may still be open at the end of the scenario. Default: none. */
  readonly openDrift?: (accountId: string, enrollment: EnrollmentId) => boolean;
  /** Compliant accounts that the records may show as something else. Default: none. */
  readonly notYetCompliant?: (accountId: string, enrollment: EnrollmentId) => boolean;
  /** Accounts that someone changed and that were not reconciled since. Default: none. */
  readonly unseen?: (accountId: string) => boolean;
  /** Connections broke, so a call may have been repeated. Default false. */
  readonly repeatedCalls?: boolean;
  readonly deadLetters?: number;
  /** Messages that may be left on the queue. Default 0. */
  readonly queued?: number;
}

/** Checks the invariants after a scenario, by the true state of the sandbox and the calls that it received, not by our records. */
export async function checkWorld(world: World, allowed: Allowed = {}): Promise<ReadonlyMap<string, LedgerEntry[]>> {
  const { chains, stored, depth } = await world.look(async (store) => ({
    chains: await readChains(store),
    stored: await readRecords(store),
    depth: await store.queue.depth(),
  }));
  const faults = ledgerFaults(chains, allowed);
  expect([...faults, ...wireFaults(world, allowed)]).toEqual([]);
  expect(stored).toEqual(foldAll(chains));
  expect(untrueRecords(world, stored, allowed)).toEqual([]);
  const { visible, inFlight, dead } = depth;
  const { queued = 0, deadLetters = 0 } = allowed;
  expect({ queued: visible + inFlight, dead }).toEqual({ queued, dead: deadLetters });
  return chains;
}

export async function readChains({ ledger }: Pick<Stores, 'ledger'>): Promise<Map<string, LedgerEntry[]>> {
  const chains = new Map<string, LedgerEntry[]>();
  for (let after: string | null = null; ; ) {
    const names: readonly string[] = await ledger.chains(after, 1_000);
    for (const name of names) {
      const entries: LedgerEntry[] = [];
      for (let page = await ledger.read(name, 0, 500); page.length > 0; ) {
        entries.push(...page);
        page = await ledger.read(name, entries.at(-1)?.seq ?? 0, 500);
      }
      chains.set(name, entries);
    }
    const last = names.at(-1);
    if (last === undefined) return chains;
    after = last;
  }
}

/** Invariant 7: no gap, no fork, no edit. */
function brokenLinks(chain: string, entries: readonly LedgerEntry[]): string[] {
  let head = EMPTY_CHAIN;
  return entries.flatMap((entry) => {
    const fault = checkLink(head, entry);
    head = headOf(entry);
    return fault === null ? [] : [`${chain}: ${fault.kind} at ${fault.seq}: ${fault.message}`];
  });
}

/** Invariant 2: each intent has exactly one later outcome. */
function danglingIntents(chain: string, entries: readonly LedgerEntry[]): string[] {
  return entries.flatMap((intent, index) => {
    if (intent.type !== 'RemediationStarted') return [];
    const outcomes = entries.filter(({ detail }) => detail?.intentId === intent.id);
    const behind = outcomes.filter((outcome) => entries.indexOf(outcome) > index);
    return outcomes.length === 1 && behind.length === 1
      ? []
      : [`${chain}: intent ${intent.seq} has ${outcomes.length} outcomes`];
  });
}

/**
 * Invariant 1: every drift is detected when it is first observed, and ends resolved, waiting, needing attention, or superseded.
 */
function openDrift(chain: string, entries: readonly LedgerEntry[], allowed: Allowed): string[] {
  return ENROLLMENT_IDS.flatMap((enrollment) => {
    const { open, settled, undetected } = readDrift(entries, enrollment);
    const faults = undetected.map((entry) => `${chain} ${enrollment}: the drift of ${entry} was not detected`);
    if (open === null || settled || allowed.openDrift?.(chain, enrollment)) return faults;
    return [...faults, `${chain} ${enrollment}: the drift of entry ${open} has not ended`];
  });
}

/** Invariants 2, 3 and 8, by the calls that arrived. */
function wireFaults({ wire, sandbox }: World, allowed: Allowed): string[] {
  const faults = wire.mutating.flatMap((call) =>
    call.accounts.flatMap((touched) => {
      const what = `${call.operation} for ${touched.truth.accountId}`;
      return faultsOfTouch(call, touched, allowed).map((fault) => `${what}: ${fault}`);
    }),
  );
  const answered = wire.mutating.flatMap(({ answer, accounts }) =>
    answer === 'ok' ? accounts.flatMap(({ intentId }) => intentId ?? []) : [],
  );
  const once = new Set<string>();
  for (const id of answered) {
    if (once.has(id)) faults.push(`the call of intent ${id} was made and answered again`);
    once.add(id);
  }
  // The wire log and the sandbox's own record agree.
  const booked = sandbox.calls().filter(({ operation }) => wire.mutating.some((call) => call.operation === operation));
  const total = booked.reduce((sum, { count }) => sum + count, 0);
  const carriedOut = wire.mutating.length - wire.dropped;
  if (total !== carriedOut) faults.push(`${total} calls were counted, ${carriedOut} seen`);
  return faults;
}

function faultsOfTouch(call: MutatingCall, { truth, intentId, redundant }: Touched, allowed: Allowed): string[] {
  const { policy, organizationWide, optOut, enrollment, code } = call;
  const faults: string[] = [];
  if (intentId === null) faults.push('no intent was open');
  // A throttled call had no effect and is repeated.
  if (code === 'ThrottlingException') return faults;
  if (redundant && !organizationWide && allowed.repeatedCalls !== true) faults.push('it was so already');
  if (policy === null) return faults;
  const { state, mode, desired, exempt } = desiredOf(policy, truth, call.at);
  if (state !== 'ACTIVE' || mode !== 'enforce' || exempt(enrollment)) faults.push('it was not to be touched');
  if (optOut && !desiresOptOut(desired, call)) faults.push('the policy does not desire an opt-out');
  return faults;
}

function desiresOptOut(desired: DesiredState, { enrollment, operation }: MutatingCall): boolean {
  if (actionOf(enrollment, operation)?.effect === 'setStatus') return desired[enrollment].value === 'Inactive';
  return desired.organizationRules.value === 'NoneAllowed' || desired.automation.value === 'Inactive';
}

function desiredOf(policy: CompiledPolicy, account: AccountTruth, at: number) {
  const { accountId: id, name, ou, tags, state, management } = account;
  const organizationAccount: OrganizationAccount = { id, name, ou, tags, state, management };
  const desired = policy.resolve(organizationAccount);
  const exempt = (enrollment: EnrollmentId): boolean => policy.exemption(id, enrollment, at) !== null;
  return { state, mode: desired.mode.value, desired, exempt };
}

/** Invariants 1, 2 and 7, by the entries only. */
export function ledgerFaults(chains: ReadonlyMap<string, readonly LedgerEntry[]>, allowed: Allowed = {}): string[] {
  return [...chains].flatMap(([chain, entries]) => [
    ...brokenLinks(chain, entries),
    ...(chain === ORGANIZATION_CHAIN
      ? []
      : [...danglingIntents(chain, entries), ...openDrift(chain, entries, allowed)]),
  ]);
}

/** The records, folded from the ledger. */
export function foldAll(chains: ReadonlyMap<string, readonly LedgerEntry[]>): ReadonlyMap<string, AccountRecord> {
  return new Map(
    [...chains].flatMap(([chain, entries]) =>
      chain === ORGANIZATION_CHAIN ? [] : [[chain, entries.reduce(foldEntry, emptyRecord(chain))] as const],
    ),
  );
}

/** `Compliant` in the records if and only if the sandbox agrees. */
function untrueRecords(world: World, records: ReadonlyMap<string, AccountRecord>, allowed: Allowed): string[] {
  const { policy } = world.wire;
  if (policy === null || records.size === 0) return [];
  return world.truth().flatMap((account) => {
    const { accountId } = account;
    const { desired, mode, state, exempt } = desiredOf(policy, account, world.clock.now());
    if (allowed.unseen?.(accountId)) return [];
    return ENROLLMENT_IDS.flatMap((enrollment) => {
      const managed =
        state === 'ACTIVE' && mode !== 'off' && !exempt(enrollment) && isManaged(desired, enrollment, account);
      const recorded = records.get(accountId)?.conditions[enrollment]?.verdict === 'Compliant';
      const compliant = managed && isCompliant(desired, enrollment, account);
      if (recorded === compliant || (compliant && allowed.notYetCompliant?.(accountId, enrollment))) return [];
      const verdict = records.get(accountId)?.conditions[enrollment]?.verdict ?? 'nothing';
      return [`${accountId} ${enrollment}: recorded ${verdict}, but it is ${compliant ? '' : 'not '}compliant`];
    });
  });
}

type DesiredState = ReturnType<CompiledPolicy['resolve']>;

function isManaged(desired: DesiredState, enrollment: EnrollmentId, { management }: AccountTruth): boolean {
  if (desired[enrollment].value !== 'unmanaged') return true;
  return enrollment === 'automation' && !management && desired.organizationRules.value !== 'unmanaged';
}

function isCompliant(desired: DesiredState, enrollment: EnrollmentId, account: AccountTruth): boolean {
  const { value } = desired[enrollment];
  if (value !== 'unmanaged' && account[enrollment].status !== value) return false;
  const rules = desired.organizationRules.value;
  if (enrollment === 'computeOptimizer' || account.management || rules === 'unmanaged') return true;
  return account.automation.organizationRuleMode === rules;
}
