import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { Simulation } from './environment.ts';
import { openDrift, openIntent } from './ledger-checks.ts';

/** How a history must end: every account complies and is recorded as compliant, and no work is pending. */
export class ExpectedEnd {
  readonly #simulation: Simulation;
  /** The account whose role stays broken. It must not delay other accounts (invariant 5). */
  readonly #brokenRole: () => AccountId | null;

  constructor(simulation: Simulation, lost: () => AccountId | null) {
    this.#simulation = simulation;
    this.#brokenRole = lost;
  }

  /** Whether the expected end is reached. */
  get reached(): boolean {
    return this.flaws().next().done === true;
  }

  /** Deviations from the expected end. Transient ones come first because they are the cheapest to check. */
  *flaws(): Generator<string, void> {
    if (!this.#simulation.calmed) yield 'the calm phase has not begun';
    const { inside } = this.#simulation.stores;
    if (inside.nextVisible() !== null) yield 'messages on the queue';
    const [waiting] = inside.outbox();
    if (waiting !== undefined) yield `${waiting.chain} ${waiting.type} is not published`;
    const accounts = this.#simulation.sandbox.accounts();
    const here = new Set(accounts.map(({ accountId }) => accountId));
    for (const { accountId, present } of inside.records.values())
      if (present && !here.has(accountId)) yield `${accountId} has left, and this is not recorded`;
    for (const account of accounts) {
      for (const enrollment of ENROLLMENT_IDS) {
        const flaw = this.#flawOf(account, enrollment);
        if (flaw !== null) yield flaw;
      }
    }
    yield* this.#unfinished();
  }

  /**
   * Unfinished writes: an entry is stored before its record, an intent whose worker failed gets its outcome only once its claim has expired, and drift
   * that a policy edit has ended must still be recorded as superseded.
   */
  *#unfinished(): Generator<string, void> {
    const { chains, records } = this.#simulation.stores.inside;
    for (const [chain, entries] of chains) {
      if (chain === ORGANIZATION_CHAIN) continue;
      if (records.get(chain)?.head.seq !== entries.at(-1)?.seq) yield `the record of ${chain} is behind its chain`;
      for (const enrollment of ENROLLMENT_IDS) {
        const intent = openIntent(entries, enrollment);
        if (intent !== null) yield `${chain} ${enrollment}: the intent of entry ${intent.seq} has no outcome`;
        const drift = openDrift(entries, enrollment);
        if (drift !== null && !this.heldBack(chain, enrollment))
          yield `${chain} ${enrollment}: the drift of entry ${drift} has not ended`;
      }
    }
  }

  /** Whether drift stays open because of mode alert or because a cap requires approval, so that it was not lost. */
  heldBack(accountId: AccountId, enrollment: EnrollmentId): boolean {
    const { policy, sandbox, stores } = this.#simulation;
    const condition = stores.inside.records.get(accountId)?.conditions[enrollment];
    const { verdict, reason } = condition ?? { verdict: 'nothing', reason: null };
    const [account] = sandbox.accounts(accountId);
    // Drift in mode alert stays until someone else fixes it.
    const alertOnly =
      account !== undefined && desiredStateOf(policy, account).mode.value === 'alert' && verdict === 'Drifted';
    return alertOnly || held(policy, verdict, reason);
  }

  #flawOf(account: AccountTruth, enrollment: EnrollmentId): string | null {
    const { policy, stores, time } = this.#simulation;
    const { accountId: id, state, management } = account;
    const desired = desiredStateOf(policy, account);
    const condition = stores.inside.records.get(id)?.conditions[enrollment] ?? null;
    const { verdict, reason } = condition ?? { verdict: 'nothing', reason: null };
    const { value } = desired[enrollment];
    const rules = enrollment === 'automation' && !management ? desired.organizationRules.value : 'unmanaged';
    const managed = value !== 'unmanaged' || rules !== 'unmanaged';
    if (state !== 'ACTIVE' || !managed || desired.mode.value === 'off' || desired.contradiction !== null) return null;
    if (policy.exemption(id, enrollment, time.now()) !== null || held(policy, verdict, reason)) return null;
    const { status } = account[enrollment];
    const mode = knownRuleMode(account);
    const good = (value === 'unmanaged' || status === value) && (rules === 'unmanaged' || mode === rules);
    if (good && verdict === 'Compliant') return null;
    const governed =
      this.#isGoverned(account) && enrollment === 'automation' && (value === 'Inactive' || mode !== rules);
    const lost = id === this.#brokenRole();
    const waits = enrollment === 'automation' && !management && this.#isManagementOff();
    if (!good && isToBeExpected({ lost, governed, waits, mode: desired.mode.value, status, value, verdict, reason }))
      return null;
    return `${id} ${enrollment} is ${status} (${mode}), wanted ${value} (${rules}), known as ${verdict} ${reason ?? ''}`;
  }

  /** Whether Automation of the management account is off and stays off, because its mode is alert. AWS then associates no member. */
  #isManagementOff(): boolean {
    const { policy, sandbox } = this.#simulation;
    const own = sandbox.accounts().find(({ management }) => management);
    return (
      own !== undefined && own.automation.status !== 'Active' && desiredStateOf(policy, own).mode.value === 'alert'
    );
  }

  /** Whether an organization enrollment configuration that Rollcall must not change applies to the account. */
  #isGoverned({ automation: { organizationRuleModeSource: source } }: AccountTruth): boolean {
    return isApplied(source?.sourceType) && !this.#simulation.checker.isOwnConfiguration(source?.sourceTargetId);
  }
}

function isApplied(sourceType: string | undefined): boolean {
  return sourceType === 'Applied' || sourceType === 'Inherited';
}

/** AWS reports the rule mode of an account only while the account is in Compute Optimizer. */
function knownRuleMode({ computeOptimizer, automation }: AccountTruth): string {
  return computeOptimizer.status === 'Active' ? automation.organizationRuleMode : 'NoneAllowed';
}

function desiredStateOf(policy: CompiledPolicy, { accountId: id, name, ou, tags, state, management }: AccountTruth) {
  const facts: OrganizationAccount = { id, name, ou, tags, state, management };
  return policy.resolve(facts);
}

/** A cap blocks changes until an approval, and no operator approves here. */
function held({ policy }: CompiledPolicy, verdict: string, reason: string | null): boolean {
  if (policy.guardrails.maxChanges.percent > 0) return false;
  return verdict === 'Drifted' || (verdict === 'Blocked' && (reason === 'guardrail' || reason === 'prerequisite'));
}

interface Found {
  readonly lost: boolean;
  /** An organization enrollment configuration forbids the desired state. */
  readonly governed: boolean;
  /** The management account's own Automation, a prerequisite of all members, is off, and Rollcall must not enable it. */
  readonly waits: boolean;
  readonly mode: string;
  readonly status: string;
  readonly value: string;
  readonly verdict: string;
  readonly reason: string | null;
}

/** Whether the mismatch is known and cannot be remediated. */
function isToBeExpected({ lost, governed, waits, mode, status, value, verdict, reason }: Found): boolean {
  // The broken role must be recorded for this account only.
  if (lost && (verdict === 'Blocked' || verdict === 'Unknown')) return true;
  // Mode alert reports drift and does not remediate it.
  if (mode === 'alert' && verdict === 'Drifted') return true;
  if (waits && verdict === 'Blocked' && reason === 'prerequisite') return true;
  if (governed) return verdict === 'Blocked' && reason === 'organizationConfiguration';
  // Failed with desired Inactive is Blocked because the effect of another call is unknown (design, verdicts).
  return status === 'Failed' && value === 'Inactive' && verdict === 'Blocked';
}
