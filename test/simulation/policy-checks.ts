import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { CommandOrder } from './command-order.ts';
import type { MemoryStores } from './memory-stores.ts';
import type { Process } from './process.ts';

/** The operator controls in force, as the checker observed them being set. */
export interface Controls {
  /** When everything was halted, epoch ms; `null` if it is not halted. */
  haltedAt: number | null;
  /** The policy in force, and when a call first found it in force, epoch ms. */
  policy: { readonly hash: string | null; readonly since: number };
  /** When each suspended account was suspended. */
  readonly suspendedAt: Map<AccountId, number>;
  /** Accounts that were ever suspended. */
  readonly onceSuspended: Set<AccountId>;
  /** Of two concurrent commands, the one that was stored later is in force. */
  readonly order: CommandOrder;
}

export const noControls = (): Controls => ({
  ...{ haltedAt: null, policy: { hash: null, since: 0 }, suspendedAt: new Map(), onceSuspended: new Set() },
  order: new CommandOrder(),
});

/** One account that a call affects, with its state at that moment. */
export interface Touched {
  readonly operation: string;
  readonly enrollment: EnrollmentId;
  readonly account: AccountTruth;
  readonly optOut: boolean;
  /** A configuration enrolls the account, which keeps its rule mode. */
  readonly enrolls?: boolean;
  readonly organizationWide: boolean;
  readonly policy: CompiledPolicy;
  readonly by: Process;
}

/** Every worker obeys an operator's command one second after it was given. */
const CONTROL_DELAY_MS = 1_000;
/** A caller knows every state that is older than this, ms, because its claim and the reads before it are more recent. */
export const READ_DELAY_MS = 3 * 60 * 1000;
/** The largest difference between the clocks of two processes. */
const MAX_CLOCK_DIFFERENCE_MS = 2_000;

interface Known {
  readonly stores: MemoryStores;
  readonly controls: Controls;
  readonly now: () => number;
}

/** Kill switch, windows and the policy in force. @returns why nothing may be changed now */
export function stopped({ stores, controls, now }: Known, policy: CompiledPolicy): string[] {
  const at = now();
  const reasons: string[] = [];
  const { haltedAt } = controls;
  const hash = stores.inside.policyInForce();
  if (hash !== controls.policy.hash) controls.policy = { hash, since: at };
  if (hash !== policy.hash && at - controls.policy.since > CONTROL_DELAY_MS)
    reasons.push('under a policy that is not in force');
  if (haltedAt !== null && at - haltedAt > CONTROL_DELAY_MS && !controls.order.hasEnded(null))
    reasons.push('while everything is halted');
  if (!around(at).some((time) => policy.windows.isOpen(time))) reasons.push('while the window is closed');
  return reasons;
}

/** Also suspensions, exemptions and mode alert. @returns why the account must not be changed now */
export function forbidden(known: Known, { account, enrollment, policy }: Touched): string[] {
  const { stores, controls, now } = known;
  const { accountId } = account;
  const at = now();
  const reasons = stopped(known, policy);
  const suspended = controls.suspendedAt.get(accountId);
  if (suspended !== undefined && at - suspended > CONTROL_DELAY_MS && !controls.order.hasEnded(accountId))
    reasons.push('while it is suspended');
  if (around(at).every((time) => policy.exemption(accountId, enrollment, time) !== null))
    reasons.push('while it is exempt');
  // Both the current organization and the one last read count. A claim and the reads before it may last while another process stores a newer one.
  const read = [stores.inside.accountOf(accountId), stores.inside.replacedSince(accountId, at - READ_DELAY_MS)];
  const versions = [factsOf(account), ...read.filter((facts) => facts !== null)];
  if (versions.every((facts) => policy.resolve(facts).mode.value !== 'enforce'))
    reasons.push('whose mode is not enforce');
  return reasons;
}

/** The times that the clock of a process may show. */
function around(at: number): readonly number[] {
  return [at - MAX_CLOCK_DIFFERENCE_MS, at, at + MAX_CLOCK_DIFFERENCE_MS];
}

/** Either the current account or the last recorded state allows the opt-out, because the policy may just have changed. */
export function mayOptOut(stores: MemoryStores, { enrollment, account, policy }: Touched): boolean {
  const record = stores.inside.records.get(account.accountId);
  const desired = policy.resolve(factsOf(account));
  const wanted =
    desired[enrollment].value === 'Inactive' ||
    (enrollment === 'automation' && desired.organizationRules.value === 'NoneAllowed');
  const condition = record?.conditions[enrollment];
  const known = condition?.desired === 'Inactive' || condition?.desiredRuleMode === 'NoneAllowed';
  // Tags never change in a history, so a wrong opt-out by tags has no excuse in an earlier state.
  return wanted || (known && !policy.usesTags);
}

export function factsOf({ accountId: id, name, ou, tags, state, management }: AccountTruth): OrganizationAccount {
  return { id, name, ou, tags, state, management };
}
