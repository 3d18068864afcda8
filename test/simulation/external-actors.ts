import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import type { EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { recorded } from '../support/cloud-trail-events.ts';
import type { Request } from './engine-cloud.ts';
import type { Stage } from './environment.ts';
import type { Reactor } from './reactor.ts';

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

/** What nobody should have to read: no message of ours, one of another version, one that lies about its shape. */
const RUBBISH = [
  '',
  'not JSON',
  '{"v":2}',
  '{"v":1,"kind":"account"}',
  '[]',
  '{"v":1,"kind":"batch","accountIds":{}}',
] as const;

const CHANGES: Readonly<Record<EnrollmentId, readonly [source: string, name: string]>> = {
  computeOptimizer: ['computeoptimizer.amazonaws.com', 'UpdateEnrollmentStatus'],
  automation: ['aco-automation.amazonaws.com', 'UpdateEnrollmentConfiguration'],
};

/**
 * Everybody else: people who change enrollments behind our back, an organization that changes, roles that break; and what CloudTrail tells of
 * it, which may come late, twice, or never.
 */
export class Others {
  readonly #stage: Stage;
  readonly #reactor: Reactor;
  /** Bodies that were put on the queue and that nobody can work on. */
  rubbish = 0;
  #requests = 0;

  constructor(stage: Stage, reactor: Reactor) {
    this.#stage = stage;
    this.#reactor = reactor;
  }

  /** Somebody else does something. */
  act(): void {
    const { chance, sandbox, stores } = this.#stage;
    const account = chance.any(sandbox.accounts().filter(({ state, management }) => !management && state === 'ACTIVE'));
    if (account === undefined) return;
    const act = chance.of<Act>(ACTS);
    this.#stage.note(`someone: ${act} ${account.accountId}`);
    this.#stage.judge.look();
    if (act === 'rubbish') {
      this.rubbish += 1;
      stores.inside.putRaw(chance.of(RUBBISH));
      this.#reactor.hears(chance.of([null, 'rubbish', { detail: 1 }, this.#forged(account.accountId)]));
      return;
    }
    let event: unknown = null;
    try {
      event = this.#do(act, account);
    } catch (error) {
      // The sandbox refuses what AWS could not get to; then nobody did it.
      this.#stage.note(`someone could not: ${String(error)}`);
    }
    this.#stage.judge.look();
    if (event !== null) this.#reactor.hears(event);
  }

  /** The CloudTrail event of one of our calls. */
  told({ operation, callerAccountId, input, requestId }: Request): void {
    const source = operation === 'UpdateEnrollmentStatus' ? CHANGES.computeOptimizer[0] : CHANGES.automation[0];
    this.#reactor.hears(
      recorded(source, operation, {
        ...{ account: callerAccountId, at: this.#stage.time.now(), requestId, actor: this.#stage.caller.arn },
        detail: { requestParameters: input },
      }),
    );
  }

  #do(act: Exclude<Act, 'rubbish'>, { accountId, ou }: AccountTruth): unknown {
    const { chance, sandbox } = this.#stage;
    switch (act) {
      case 'drift': {
        const enrollment = chance.of(['computeOptimizer', 'automation'] as const);
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
        // Of something that is over, or never was.
        return this.#changed(accountId, chance.of(['computeOptimizer', 'automation'] as const), 'Inactive');
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
    return recorded(source, name, { account, at: this.#stage.time.now(), requestId, detail });
  }

  #organization(name: string, requestParameters: Readonly<Record<string, unknown>>): unknown {
    const { caller, time } = this.#stage;
    const options = { account: caller.managementAccountId, at: time.now(), requestId: this.#requestId() };
    return recorded('organizations.amazonaws.com', name, { ...options, detail: { requestParameters } });
  }

  /** Claims to come from a foreign account, and to be about one of ours. */
  #forged(accountId: string): unknown {
    const [source, name] = CHANGES.computeOptimizer;
    const detail = { recipientAccountId: accountId, requestParameters: { status: 'Inactive' } };
    return recorded(source, name, { account: '999999999999', at: this.#stage.time.now(), detail });
  }
}
