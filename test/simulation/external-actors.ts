import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { recorded } from '../support/cloud-trail-events.ts';
import { enrollmentChangedBy } from '../support/mutating-calls.ts';
import type { Request } from './engine-cloud.ts';
import type { Simulation } from './environment.ts';
import type { Reactor } from './reactor.ts';
import { BODIES } from './rubbish.ts';

const ACTS = [
  'drift',
  'drift',
  'drift',
  'event',
  'role',
  'close',
  'join',
  'leave',
  'move',
  'trust',
  'fail',
  'rubbish',
] as const;
type Act = (typeof ACTS)[number];

const CHANGES: Readonly<Record<EnrollmentId, readonly [source: string, name: string]>> = {
  computeOptimizer: ['computeoptimizer.amazonaws.com', 'UpdateEnrollmentStatus'],
  automation: ['aco-automation.amazonaws.com', 'UpdateEnrollmentConfiguration'],
  costOptimizationHub: ['cost-optimization-hub.amazonaws.com', 'UpdateEnrollmentStatus'],
};

/**
 * Changes that do not come from Rollcall: changed enrollments, a changing organization, broken roles. Their CloudTrail events may arrive late,
 * twice or never.
 */
export class ExternalActors {
  readonly #simulation: Simulation;
  readonly #reactor: Pick<Reactor, 'receive'>;
  /** The number of unreadable messages on the queue. */
  rubbish = 0;
  #requests = 0;

  constructor(simulation: Simulation, reactor: Pick<Reactor, 'receive'>) {
    this.#simulation = simulation;
    this.#reactor = reactor;
  }

  /** Makes one random external change. */
  act(): void {
    const { chance, sandbox, stores } = this.#simulation;
    const account = chance.any(sandbox.accounts().filter(({ state, management }) => !management && state === 'ACTIVE'));
    if (account === undefined) return;
    const act = chance.of<Act>(ACTS);
    if (act !== 'rubbish') {
      this.make(act, account);
      return;
    }
    this.#simulation.note(`someone: ${act} ${account.accountId}`);
    this.rubbish += 1;
    stores.inside.putRaw(chance.of(BODIES));
    this.#reactor.receive(chance.of([null, 'rubbish', { detail: 1 }, this.#forged(account.accountId)]));
  }

  /** Makes this change. */
  make(act: Exclude<Act, 'rubbish'>, account: AccountTruth): void {
    this.#simulation.note(`someone: ${act} ${account.accountId}`);
    this.#simulation.checker.observe();
    let event: unknown = null;
    try {
      event = this.#do(act, account);
    } catch (error) {
      // The sandbox rejected the change, so it did not happen.
      this.#simulation.note(`someone could not: ${String(error)}`);
    }
    this.#simulation.checker.observe();
    if (event !== null) this.#reactor.receive(event);
  }

  /** Makes a call of Automation as the delegated administrator. AWS may refuse it, for example while another change is in progress. */
  administer({ operation, input, requestId }: Pick<Request, 'operation' | 'input' | 'requestId'>): void {
    const { sandbox, checker, time } = this.#simulation;
    const account = sandbox.info().delegatedAdministratorId;
    this.#simulation.note(`an administrator: ${operation} ${JSON.stringify(input)}`);
    checker.observe();
    checker.madeByOthers({ service: 'aco-automation', operation, input });
    const answer = sandbox.handle({ service: 'aco-automation', operation, callerAccountId: account, input, requestId });
    checker.observe();
    if (answer.kind === 'error') {
      this.#simulation.note(`the administrator could not: ${answer.error.code}`);
      return;
    }
    const [source] = CHANGES.automation;
    const detail = { requestParameters: input };
    this.#reactor.receive(recorded(source, operation, { account, at: time.now(), requestId, detail }));
  }

  /** Delivers the CloudTrail event of one of our calls. */
  deliverEventOf({ service, operation, callerAccountId, input, requestId }: Request): void {
    const enrollment = enrollmentChangedBy({ service, operation });
    if (enrollment === null) throw new Error(`${service}:${operation} changes no enrollment`);
    const [source] = CHANGES[enrollment];
    this.#reactor.receive(
      recorded(source, operation, {
        ...{ account: callerAccountId, at: this.#simulation.time.now(), requestId, actor: this.#simulation.caller.arn },
        detail: { requestParameters: input },
      }),
    );
  }

  #do(act: Exclude<Act, 'rubbish'>, { accountId, ou }: AccountTruth): unknown {
    const { chance, sandbox } = this.#simulation;
    switch (act) {
      case 'drift': {
        const enrollment = chance.of(this.#simulation.drifting);
        const status = chance.of(['Active', 'Inactive', 'Failed'] as const);
        sandbox.drift({ changes: [{ accountId, enrollment, status }] });
        return this.#changed(accountId, enrollment, status);
      }
      case 'role':
        sandbox.changeAccounts({ update: [{ accountId, roleAssumable: chance.happens(0.5) }] });
        return null;
      case 'fail':
        sandbox.changeAccounts({ update: [{ accountId, enrollmentFailure: chance.happens(0.5) ? 'no role' : null }] });
        return null;
      case 'close':
        if (!chance.happens(0.5)) return null;
        sandbox.changeAccounts({ update: [{ accountId, state: 'SUSPENDED' }] });
        return this.#organization('CloseAccount', { accountId });
      case 'join': {
        const [id] = sandbox.changeAccounts({ add: [{ ou }] });
        return id === undefined
          ? null
          : this.#organization('CreateAccountResult', { createAccountStatus: { accountId: id } });
      }
      case 'leave':
        if (sandbox.accounts().length <= 5) return null;
        sandbox.changeAccounts({ remove: [accountId] });
        return this.#organization('RemoveAccountFromOrganization', { accountId });
      case 'move': {
        const other = chance.any(sandbox.accounts());
        sandbox.changeAccounts({ update: [{ accountId, ou: other?.management === false ? other.ou : ou }] });
        return this.#organization('MoveAccount', { accountId });
      }
      case 'trust': {
        const on = chance.happens(0.7);
        sandbox.setTrustedAccess(on);
        return this.#organization(`${on ? 'Enable' : 'Disable'}AWSServiceAccess`, {
          servicePrincipal: 'compute-optimizer.amazonaws.com',
        });
      }
      case 'event':
        // An event of a change that is outdated or never happened.
        return this.#changed(accountId, chance.of(this.#simulation.drifting), 'Inactive');
    }
  }

  #requestId(): string {
    this.#requests += 1;
    return `another-request-${this.#requests}`;
  }

  #changed(account: string, enrollment: EnrollmentId, status: string): unknown {
    const [source, name] = CHANGES[enrollment];
    const requestId = this.#requestId();
    const detail = { requestParameters: { status } };
    return recorded(source, name, { account, at: this.#simulation.time.now(), requestId, detail });
  }

  #organization(name: string, requestParameters: Readonly<Record<string, unknown>>): unknown {
    const { caller, time } = this.#simulation;
    const options = { account: caller.managementAccountId, at: time.now(), requestId: this.#requestId() };
    return recorded('organizations.amazonaws.com', name, { ...options, detail: { requestParameters } });
  }

  /** An event from an account outside the organization that names an account inside it. */
  #forged(accountId: string): unknown {
    const [source, name] = CHANGES.computeOptimizer;
    const detail = { recipientAccountId: accountId, requestParameters: { status: 'Inactive' } };
    return recorded(source, name, { account: '999999999999', at: this.#simulation.time.now(), detail });
  }
}
