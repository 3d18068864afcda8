import { type Configurations, type ConfigurationTarget, isAccount } from './configurations.ts';
import type { Organization } from './organization.ts';
import { isOpen } from './organization.ts';
import type {
  Account,
  EnrollmentName,
  OrganizationalUnit,
  RequestableStatus,
  RuleMode,
  RuleModeSource,
  Status,
} from './types.ts';

/**
 * The enrollments of all accounts, and their state machine.
 *
 *   Inactive ──request Active──▶ Pending ──after pendingMs──▶ Active      (Failed instead, if opting in cannot succeed)
 *   Active ──request Inactive──▶ Pending ──after pendingMs──▶ Inactive    (with pendingMs 0, Pending is skipped)
 *
 * Invariants: Automation is Active only if Compute Optimizer is Active or being disabled, and an account is associated
 * only while its Automation is Active or being enabled.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const COOL_DOWN_MS = DAY_MS;

type Landing = { account: Account; enrollment: EnrollmentName; change: number; due: number };

export class Enrollments {
  readonly #organization: Organization;
  readonly #pendingMs: number;
  readonly configurations: Configurations;
  /** Pending transitions, which are in order of their due time because each takes the same time. */
  #landings: Landing[] = [];
  #nextLanding = 0;
  #membersOptedIn = 0;
  /** Whether Compute Optimizer may access the other accounts of the organization. */
  trustedAccess = true;
  trustedAccessSince: number;
  /** After an organization-wide opt-in, AWS opts in every account that joins. */
  organizationOptedIn = false;

  constructor(organization: Organization, configurations: Configurations, pendingMs: number, now: number) {
    this.#organization = organization;
    this.configurations = configurations;
    this.#pendingMs = pendingMs;
    this.trustedAccessSince = now;
    for (const account of organization.accounts) if (counts(account)) this.#membersOptedIn += 1;
  }

  /** Member accounts whose Compute Optimizer enrollment is Active. */
  get membersOptedIn(): number {
    return this.#membersOptedIn;
  }

  /** Completes every Pending transition and every change of a configuration that is due. Must be called before any read. */
  settle(now: number): void {
    for (let change = this.configurations.takeDue(now); change !== null; change = this.configurations.takeDue(now)) {
      this.#settleTransitions(change.due);
      this.#takeEffect(change.unit, change.mode, change.due);
    }
    this.#settleTransitions(now);
  }

  #settleTransitions(now: number): void {
    for (;;) {
      const landing = this.#landings[this.#nextLanding];
      if (landing === undefined || landing.due > now) break;
      this.#nextLanding += 1;
      const { account, enrollment, change, due } = landing;
      const current = account[enrollment];
      if (current.change === change && current.target !== null) this.#land(account, enrollment, current.target, due);
    }
    if (this.#nextLanding > 4096 || (this.#nextLanding > 0 && this.#nextLanding === this.#landings.length)) {
      this.#landings = this.#landings.slice(this.#nextLanding);
      this.#nextLanding = 0;
    }
  }

  /** Requests a status. Requesting the current status, or the target of a Pending transition, has no effect. */
  request(account: Account, enrollment: EnrollmentName, target: RequestableStatus, now: number): void {
    const current = account[enrollment];
    if (current.status === target) return;
    if (current.status === 'Pending' && (current.target === target || current.target === null)) return;
    if (this.#pendingMs === 0) {
      this.#land(account, enrollment, target, now);
      return;
    }
    this.set(account, enrollment, 'Pending', null, now);
    current.target = target;
    this.#landings.push({ account, enrollment, change: current.change, due: now + this.#pendingMs });
  }

  #land(account: Account, enrollment: EnrollmentName, target: RequestableStatus, at: number): void {
    if (target === 'Active' && account.enrollmentFailure !== null)
      this.set(account, enrollment, 'Failed', account.enrollmentFailure, at);
    else this.set(account, enrollment, target, null, at);
  }

  /** Sets a status immediately, and updates everything that depends on it. */
  set(account: Account, name: EnrollmentName, status: Status, reason: string | null, at: number): void {
    const enrollment = account[name];
    const counted = counts(account);
    enrollment.status = status;
    enrollment.reason = reason;
    enrollment.updatedAt = at;
    enrollment.target = null;
    enrollment.change += 1;
    this.#membersOptedIn += Number(counts(account)) - Number(counted);
    const lost = status === 'Inactive' || status === 'Failed';
    if (name === 'computeOptimizer' && status === 'Active') this.follow(account, at);
    if (name === 'automation') {
      if (lost) account.associated = false;
    } else if (lost && account.automation.status !== 'Inactive') {
      this.set(account, 'automation', 'Inactive', 'The account is not opted in to Compute Optimizer.', at);
    }
  }

  /**
   * The organization-wide opt-in: turns on trusted access, and enrolls every open account and every account that joins
   * later. If the opt-in of the management account fails, it has no other effect.
   */
  optInOrganization(now: number): void {
    if (this.#organization.management.enrollmentFailure !== null) {
      this.request(this.#organization.management, 'computeOptimizer', 'Active', now);
      return;
    }
    this.setTrustedAccess(true, now);
    this.organizationOptedIn = true;
    for (const account of this.#organization.accounts)
      if (isOpen(account)) this.request(account, 'computeOptimizer', 'Active', now);
  }

  /** Turning trusted access off opts all members out. Turning it on again does not opt them in. */
  setTrustedAccess(enabled: boolean, now: number): void {
    if (this.trustedAccess === enabled) return;
    this.trustedAccess = enabled;
    this.trustedAccessSince = now;
    if (enabled) return;
    this.organizationOptedIn = false;
    const reason = 'Trusted access for Compute Optimizer is not enabled in the organization.';
    for (const account of this.#organization.accounts)
      if (!account.management && account.computeOptimizer.status !== 'Inactive')
        this.set(account, 'computeOptimizer', 'Inactive', reason, now);
  }

  /** After an organization-wide opt-in, AWS opts in accounts that join. */
  joined(account: Account, now: number): void {
    if (this.organizationOptedIn && isOpen(account)) this.request(account, 'computeOptimizer', 'Active', now);
  }

  left(account: Account): void {
    this.configurations.forget(account);
    if (counts(account)) this.#membersOptedIn -= 1;
    account.computeOptimizer.change += 1;
    account.automation.change += 1;
  }

  /** The end of the 24-hour cool-down after the account opted out of Automation; null if it may opt in. */
  coolingDownUntil(account: Account, now: number): number | null {
    if (account.automationOptedOutAt === null) return null;
    const end = account.automationOptedOutAt + COOL_DOWN_MS;
    return now < end ? end : null;
  }

  /** Opts the account out of Automation, as its own call does, and starts the cool-down. */
  optOutOfAutomation(account: Account, now: number): void {
    if (account.automation.status === 'Inactive') return;
    if (account.automation.status === 'Pending' && account.automation.target === 'Inactive') return;
    account.automationOptedOutAt = now;
    account.associated = false;
    this.request(account, 'automation', 'Inactive', now);
  }

  /** Stores or, with `mode` null, deletes a configuration. On an OU or the root it takes effect later. */
  configure(target: ConfigurationTarget, mode: RuleMode | null, now: number): void {
    const due = this.configurations.accept(target, mode, now);
    if (isAccount(target)) this.follow(target, now);
    else if (due <= now) this.settle(now);
  }

  /** Adds a configuration that took effect before the start: it enables Automation without changing the accounts' update times. */
  preset(unit: OrganizationalUnit, mode: RuleMode): void {
    this.configurations.preset(unit, mode);
    const enable = (below: OrganizationalUnit): void => {
      for (const account of below.accounts) {
        if (account.management || !isOpen(account)) continue;
        account.associated = false;
        if (account.computeOptimizer.status === 'Active')
          this.set(account, 'automation', 'Active', null, account.automation.updatedAt);
      }
      for (const child of below.children) enable(child);
    };
    enable(unit);
  }

  #takeEffect(unit: OrganizationalUnit, mode: RuleMode | null, at: number): void {
    this.configurations.apply(unit, mode);
    if (mode !== null) this.#followBelow(unit, at);
  }

  #followBelow(unit: OrganizationalUnit, at: number): void {
    for (const account of unit.accounts) this.follow(account, at);
    for (const child of unit.children) this.#followBelow(child, at);
  }

  /**
   * Applies the nearest configuration, if any, to an account: it ends the association, and enables Automation if the account is in Compute Optimizer.
   * Called whenever an account joins, moves, or is opted in to Compute Optimizer.
   */
  follow(account: Account, at: number): void {
    if (account.management || !isOpen(account) || this.configurations.nearest(account) === null) return;
    account.associated = false;
    if (account.computeOptimizer.status === 'Active') this.request(account, 'automation', 'Active', at);
  }

  /** What determines the mode; null for the management account. */
  ruleModeSource(account: Account): RuleModeSource | null {
    if (account.management) return null;
    const configured = this.configurations.nearest(account);
    if (configured === null) return { sourceType: account.associated ? 'Direct' : 'Default' };
    const { targetId } = configured;
    return { sourceType: targetId === account.id ? 'Applied' : 'Inherited', sourceTargetId: targetId };
  }

  /** The effective mode. Associations have no effect while the management account's own Automation is off, but they are kept. */
  ruleMode(account: Account): RuleMode {
    const configured = account.management ? null : this.configurations.nearest(account);
    if (configured !== null) return configured.mode;
    const { status, target } = this.#organization.management.automation;
    if (status !== 'Active' && !(status === 'Pending' && target === 'Active')) return 'NoneAllowed';
    return account.associated || account.management ? 'AnyAllowed' : 'NoneAllowed';
  }
}

function counts(account: Account): boolean {
  return !account.management && account.computeOptimizer.status === 'Active';
}
