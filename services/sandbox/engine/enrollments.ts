import type { Organization } from './organization.ts';
import { isOpen } from './organization.ts';
import type { Account, EnrollmentName, RequestableStatus, RuleMode, Status } from './types.ts';

/**
 * The enrollments of all accounts and every way in which they change.
 *
 *   Inactive ──request Active──▶ Pending ──after pendingMs──▶ Active      (Failed instead, if opting in cannot succeed)
 *   Active ──request Inactive──▶ Pending ──after pendingMs──▶ Inactive    (with pendingMs 0, Pending is skipped)
 *
 * Always: Automation is Active only where Compute Optimizer is Active or on its way out, and an account is associated
 * only while its Automation is Active or about to be.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const COOL_DOWN_MS = DAY_MS;

type Landing = { account: Account; enrollment: EnrollmentName; change: number; due: number };

export class Enrollments {
  readonly #organization: Organization;
  readonly #pendingMs: number;
  /** Due in order, because every Pending takes equally long. */
  #landings: Landing[] = [];
  #nextLanding = 0;
  #membersOptedIn = 0;
  /** Whether other accounts of the organization are open to Compute Optimizer at all. */
  trustedAccess = true;
  trustedAccessSince: number;
  /** After an organization-wide opt-in, AWS opts in whoever joins. */
  organizationOptedIn = false;

  constructor(organization: Organization, pendingMs: number, now: number) {
    this.#organization = organization;
    this.#pendingMs = pendingMs;
    this.trustedAccessSince = now;
    for (const account of organization.accounts) if (counts(account)) this.#membersOptedIn += 1;
  }

  /** Member accounts whose Compute Optimizer enrollment is Active. */
  get membersOptedIn(): number {
    return this.#membersOptedIn;
  }

  /** Lets every Pending land whose time has come. Call before reading anything. */
  settle(now: number): void {
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

  /** The account asks for a status. Asking for what it has, or is on its way to, changes nothing. */
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

  /** Sets a status outright, by whatever cause, and lets what depends on it follow. */
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
    if (name === 'automation') {
      if (lost) account.associated = false;
    } else if (lost && account.automation.status !== 'Inactive') {
      this.set(account, 'automation', 'Inactive', 'The account is not opted in to Compute Optimizer.', at);
    }
  }

  /**
   * The organization-wide opt-in: trusted access on, every open account enrolled, and whoever joins later. Where the
   * management account itself fails, so does the rest.
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

  /** Without trusted access the members are no longer opted in; only a new opt-in brings them back. */
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

  /** An account has joined: AWS opts it in by itself if the organization is. */
  joined(account: Account, now: number): void {
    if (this.organizationOptedIn && isOpen(account)) this.request(account, 'computeOptimizer', 'Active', now);
  }

  left(account: Account): void {
    if (counts(account)) this.#membersOptedIn -= 1;
    account.computeOptimizer.change += 1;
    account.automation.change += 1;
  }

  /** The end of the 24-hour cool-down after the account opted out of Automation, or null when it may opt in. */
  coolingDownUntil(account: Account, now: number): number | null {
    if (account.automationOptedOutAt === null) return null;
    const end = account.automationOptedOutAt + COOL_DOWN_MS;
    return now < end ? end : null;
  }

  /** The account itself opts out of Automation, which starts its cool-down. */
  optOutOfAutomation(account: Account, now: number): void {
    if (account.automation.status === 'Inactive') return;
    if (account.automation.status === 'Pending' && account.automation.target === 'Inactive') return;
    account.automationOptedOutAt = now;
    account.associated = false;
    this.request(account, 'automation', 'Inactive', now);
  }

  /** Effective mode: associations lie dormant while the management account's own Automation is off, and return with it. */
  ruleMode(account: Account): RuleMode {
    const { status, target } = this.#organization.management.automation;
    if (status !== 'Active' && !(status === 'Pending' && target === 'Active')) return 'NoneAllowed';
    return account.associated || account.management ? 'AnyAllowed' : 'NoneAllowed';
  }
}

function counts(account: Account): boolean {
  return !account.management && account.computeOptimizer.status === 'Active';
}
