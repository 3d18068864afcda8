import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import { ORGANIZATION_CHAIN } from '../../shared/domain/ledger/entry.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { Stage } from './environment.ts';
import { openDrift } from './ledger-checks.ts';

/** How a history has to end: every account as the policy wants it and known to be so, and nothing left to do. */
export class Wanted {
  readonly #stage: Stage;
  /** The account whose role stays broken. It must not delay other accounts (invariant 5). */
  readonly #lost: () => AccountId | null;

  constructor(stage: Stage, lost: () => AccountId | null) {
    this.#stage = stage;
    this.#lost = lost;
  }

  /** Whether everything is as it should be at the end. */
  get reached(): boolean {
    return this.flaws().next().done === true;
  }

  /** What is not as it should be at the end. What passes by itself comes first: it is the cheapest to look for, and the least telling. */
  *flaws(): Generator<string, void> {
    if (!this.#stage.calmed) yield 'no calm yet';
    const { inside } = this.#stage.stores;
    if (inside.nextVisible() !== null) yield 'messages on the queue';
    const [waiting] = inside.outbox();
    if (waiting !== undefined) yield `${waiting.chain} ${waiting.type} is not published`;
    const accounts = this.#stage.sandbox.accounts();
    const here = new Set(accounts.map(({ accountId }) => accountId));
    for (const { accountId, present } of inside.records.values())
      if (present && !here.has(accountId)) yield `${accountId} has left, and that is not known`;
    for (const account of accounts) {
      for (const enrollment of ENROLLMENT_IDS) {
        const flaw = this.#flawOf(account, enrollment);
        if (flaw !== null) yield flaw;
      }
    }
    yield* this.#unfinished();
  }

  /**
   * What somebody is still at when everything is as it should be already: an entry is stored before its record, and what a policy no longer
   * wants is in order from the edit on, while that its drift is superseded has to be written first.
   */
  *#unfinished(): Generator<string, void> {
    const { chains, records } = this.#stage.stores.inside;
    for (const [chain, entries] of chains) {
      if (chain === ORGANIZATION_CHAIN) continue;
      if (records.get(chain)?.head.seq !== entries.at(-1)?.seq) yield `the record of ${chain} is behind its chain`;
      for (const enrollment of ENROLLMENT_IDS) {
        const drift = openDrift(entries, enrollment);
        if (drift !== null && !this.heldBack(chain, enrollment))
          yield `${chain} ${enrollment}: the drift of entry ${drift} has not ended`;
      }
    }
  }

  /** Whether what is still Drifted is so because it is only to be told, or a cap holds it back until somebody approves: no drift that was lost. */
  heldBack(accountId: AccountId, enrollment: EnrollmentId): boolean {
    const { policy, sandbox, stores } = this.#stage;
    const condition = stores.inside.records.get(accountId)?.conditions[enrollment];
    const { verdict, reason } = condition ?? { verdict: 'nothing', reason: null };
    const [account] = sandbox.accounts(accountId);
    // Drift in mode alert stays until someone else fixes it.
    const told = account !== undefined && desiredFor(policy, account).mode.value === 'alert' && verdict === 'Drifted';
    return told || held(policy, verdict, reason);
  }

  #flawOf(account: AccountTruth, enrollment: EnrollmentId): string | null {
    const { policy, stores, time } = this.#stage;
    const { accountId: id, state, management } = account;
    const desired = desiredFor(policy, account);
    const condition = stores.inside.records.get(id)?.conditions[enrollment] ?? null;
    const { verdict, reason } = condition ?? { verdict: 'nothing', reason: null };
    const { value } = desired[enrollment];
    const rules = enrollment === 'automation' && !management ? desired.organizationRules.value : 'unmanaged';
    const managed = value !== 'unmanaged' || rules !== 'unmanaged';
    if (state !== 'ACTIVE' || !managed || desired.mode.value === 'off' || desired.contradiction !== null) return null;
    if (policy.exemption(id, enrollment, time.now()) !== null || held(policy, verdict, reason)) return null;
    const { status } = account[enrollment];
    const mode = account.automation.organizationRuleMode;
    const good = (value === 'unmanaged' || status === value) && (rules === 'unmanaged' || mode === rules);
    if (good && verdict === 'Compliant') return null;
    if (!good && isToBeExpected({ lost: id === this.#lost(), mode: desired.mode.value, status, value, verdict }))
      return null;
    return `${id} ${enrollment} is ${status} (${mode}), wanted ${value} (${rules}), known as ${verdict} ${reason ?? ''}`;
  }
}

function desiredFor(policy: CompiledPolicy, { accountId: id, name, ou, tags, state, management }: AccountTruth) {
  const facts: OrganizationAccount = { id, name, ou, tags, state, management };
  return policy.resolve(facts);
}

/** Caps hold changes back for as long as they hold; nobody is there to approve. */
function held({ policy }: CompiledPolicy, verdict: string, reason: string | null): boolean {
  if (policy.guardrails.maxChanges.percent > 0) return false;
  return verdict === 'Drifted' || (verdict === 'Blocked' && (reason === 'guardrail' || reason === 'prerequisite'));
}

interface Found {
  readonly lost: boolean;
  readonly mode: string;
  readonly status: string;
  readonly value: string;
  readonly verdict: string;
}

/** It is not as wanted, and that is known and all that can be done about it. */
function isToBeExpected({ lost, mode, status, value, verdict }: Found): boolean {
  // Nobody can get in: that has to be known of it, and of nobody else.
  if (lost && (verdict === 'Blocked' || verdict === 'Unknown')) return true;
  // Found and told, and not touched.
  if (mode === 'alert' && verdict === 'Drifted') return true;
  // Failed where Inactive is wanted is Blocked: nobody knows what would come of another call (design, verdicts).
  return status === 'Failed' && value === 'Inactive' && verdict === 'Blocked';
}
