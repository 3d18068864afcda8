import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../../../services/sandbox/engine/sandbox.ts';
import type { Violation } from '../../../services/sandbox/engine/smithy.ts';
import type { ApiAnswer, ServiceName } from '../../../services/sandbox/engine/types.ts';
import { HOUR_MS, START } from './support.ts';

/** Random histories of an organization. The invariants of AWS must be true after every step. */

const DAY_MS = 24 * HOUR_MS;
const ACCOUNTS = 14;
const TWO_STATUSES = fc.constantFrom('Active', 'Inactive');
/** Few accounts, so that their actions interact: the management account, the delegated administrator and some members. */
const who = fc.nat({ max: 4 });

const step = fc.oneof(
  fc.record({ kind: fc.constant('update' as const), who, status: TWO_STATUSES, all: fc.boolean() }),
  fc.record({
    kind: fc.constant('automate' as const),
    who,
    status: TWO_STATUSES,
    token: fc.option(fc.nat({ max: 3 })),
  }),
  fc.record({ kind: fc.constant('associate' as const), who, ids: fc.array(who, { maxLength: 5 }), on: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, HOUR_MS / 2, HOUR_MS, DAY_MS - 1, DAY_MS) }),
  fc.record({
    kind: fc.constant('drift' as const),
    who,
    automation: fc.boolean(),
    status: fc.constantFrom('Inactive', 'Failed', 'Pending'),
  }),
  fc.record({ kind: fc.constant('trust' as const), enabled: fc.boolean() }),
  fc.record({ kind: fc.constant('close' as const), who, open: fc.boolean() }),
  fc.record({ kind: fc.constant('join' as const) }),
  fc.record({ kind: fc.constant('read' as const), who, what: fc.nat({ max: 3 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Life {
  readonly sandbox: Sandbox;
  #now = START;
  #ids: string[];
  /** When each account last opted out of Automation, by its own call or by drift. */
  readonly optedOut = new Map<string, number>();

  constructor(pendingMs: number) {
    this.sandbox = createSandbox({ accounts: ACCOUNTS, pendingMs, drift: 0.3 }, { clock: { now: () => this.#now } });
    const { managementAccountId, delegatedAdministratorId } = this.sandbox.info();
    const ids = this.sandbox.accounts().map(({ accountId }) => accountId);
    this.#ids = [...new Set([managementAccountId, delegatedAdministratorId, ...ids])];
  }

  #id(index: number): string {
    return this.#ids[index % this.#ids.length] ?? '';
  }

  #call(service: ServiceName, operation: string, callerAccountId: string, input: unknown): ApiAnswer {
    const answer = this.sandbox.handle({ service, operation, callerAccountId, input, requestId: '-' });
    if (answer.kind !== 'ok') return answer;
    const violations: Violation[] = [];
    this.sandbox.services
      .get(service)
      ?.operations.get(operation)
      ?.model.checkOutput(present(answer.output), '', violations);
    expect(violations, `${service}:${operation} answers in the shape of its model`).toEqual([]);
    return answer;
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'update':
        this.#call('compute-optimizer', 'UpdateEnrollmentStatus', this.#id(step.who), {
          status: step.status,
          includeMemberAccounts: step.all,
        });
        return;
      case 'automate':
        this.#automate(this.#id(step.who), step.status, step.token);
        return;
      case 'associate':
        this.#associate(
          this.#id(step.who),
          step.ids.map((index) => this.#id(index)),
          step.on,
        );
        return;
      case 'wait':
        this.#now += step.ms;
        return;
      case 'drift':
        this.#drift(this.#id(step.who), step.automation, step.status);
        return;
      case 'trust':
        this.sandbox.setTrustedAccess(step.enabled);
        return;
      case 'close':
        this.#close(this.#id(step.who), step.open);
        return;
      case 'join':
        this.#ids = [...this.#ids, ...this.sandbox.changeAccounts({ add: [{ ou: '/Sandbox' }] })];
        return;
      case 'read':
        this.#read(this.#id(step.who), step.what);
    }
  }

  #automate(id: string, status: string, token: number | null): void {
    const before = this.#automation(id);
    const clientToken = token === null ? undefined : `token-${token}`;
    const answer = this.#call('aco-automation', 'UpdateEnrollmentConfiguration', id, { status, clientToken });
    const after = this.#automation(id);
    if (answer.kind === 'ok' && status === 'Active' && before.status !== after.status)
      expect(
        this.#now - (this.optedOut.get(id) ?? 0),
        'no opt-in within 24 hours of opting out',
      ).toBeGreaterThanOrEqual(DAY_MS);
    if (status === 'Inactive' && before.organizationRuleMode === 'AnyAllowed' && !this.#isManagement(id))
      expect(after, 'no opt-out while associated').toEqual(before);
    if (
      status === 'Inactive' &&
      answer.kind === 'ok' &&
      before.lastUpdatedTimestamp !== after.lastUpdatedTimestamp &&
      after.status !== before.status
    )
      this.optedOut.set(id, this.#now);
  }

  #associate(caller: string, accountIds: string[], on: boolean): void {
    const answer = this.#call('aco-automation', on ? 'AssociateAccounts' : 'DisassociateAccounts', caller, {
      accountIds,
    });
    if (answer.kind !== 'ok') return;
    const done = answer.output['accountIds'];
    const failed = answer.output['errors'];
    const count = (list: unknown): number => (Array.isArray(list) ? list.length : Number.NaN);
    expect(count(done) + count(failed), 'each id either succeeded or has an error').toBe(new Set(accountIds).size);
    for (const id of Array.isArray(done) ? done : [])
      expect(this.#automation(String(id)).organizationRuleMode).toBe(on ? 'AnyAllowed' : 'NoneAllowed');
  }

  #drift(accountId: string, automation: boolean, status: 'Inactive' | 'Failed' | 'Pending'): void {
    const enrollment = automation ? 'automation' : 'computeOptimizer';
    const before = this.#automation(accountId).status;
    if (automation && status !== 'Inactive' && this.#computeOptimizer(accountId) !== 'Active') return;
    this.sandbox.drift({ changes: [{ accountId, enrollment, status }] });
    if (automation && status === 'Inactive' && before !== 'Inactive') this.optedOut.set(accountId, this.#now);
  }

  #close(accountId: string, open: boolean): void {
    if (this.#isManagement(accountId)) return;
    this.sandbox.changeAccounts({ update: [{ accountId, state: open ? 'ACTIVE' : 'SUSPENDED' }] });
  }

  #read(id: string, what: number): void {
    if (what === 0) this.#call('compute-optimizer', 'GetEnrollmentStatus', id, {});
    if (what === 1) this.#call('aco-automation', 'GetEnrollmentConfiguration', id, {});
    if (what === 2) this.#call('compute-optimizer', 'GetEnrollmentStatusesForOrganization', id, { maxResults: 5 });
    if (what === 3) this.#call('organizations', 'ListAccounts', id, { MaxResults: 7 });
  }

  #isManagement(id: string): boolean {
    return id === this.sandbox.info().managementAccountId;
  }

  #automation(id: string) {
    const [account] = this.sandbox.accounts(id);
    if (account === undefined) throw new Error(`No account ${id}`);
    return account.automation;
  }

  #computeOptimizer(id: string) {
    return this.sandbox.accounts(id)[0]?.computeOptimizer.status;
  }

  /** Checks the invariants after a step. */
  check(): void {
    const { managementAccountId } = this.sandbox.info();
    let optedIn = 0;
    for (const { accountId, computeOptimizer, automation } of this.sandbox.accounts()) {
      if (automation.status === 'Active' || automation.status === 'Pending')
        expect(['Active', 'Pending'], 'Automation only where Compute Optimizer is').toContain(computeOptimizer.status);
      if (automation.organizationRuleMode === 'AnyAllowed')
        expect(['Active', 'Pending'], 'associated only where Automation is').toContain(automation.status);
      expect(automation.lastUpdatedTimestamp.getTime()).toBeLessThanOrEqual(this.#now);
      if (computeOptimizer.status === 'Active' && accountId !== managementAccountId) optedIn += 1;
    }
    const read = this.#call('compute-optimizer', 'GetEnrollmentStatus', managementAccountId, {});
    expect(read).toMatchObject({ kind: 'ok', output: { numberOfMemberAccountsOptedIn: optedIn } });
  }
}

/** Removes undefined members, which are absent from a response. */
function present(output: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(output).filter(([, value]) => value !== undefined));
}

test('the invariants of AWS are true in every history of the organization', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.constantFrom(0, HOUR_MS), (steps, pendingMs) => {
      const life = new Life(pendingMs);
      for (const next of steps) {
        life.take(next);
        life.check();
      }
    }),
    { numRuns: 150 },
  );
});

test('repeating a history ends in the same organization', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [one, two] = [new Life(HOUR_MS), new Life(HOUR_MS)];
      for (const next of steps) {
        one.take(next);
        two.take(next);
      }
      expect(two.sandbox.accounts()).toEqual(one.sandbox.accounts());
      expect(two.sandbox.calls()).toEqual(one.sandbox.calls());
    }),
    { numRuns: 50 },
  );
});

/** The ids on a page of ListAccounts, and the token of the next page. */
function accountPage(sandbox: Sandbox, size: number, token: unknown): { ids: string[]; next: unknown } {
  const answer = sandbox.handle({
    service: 'organizations',
    operation: 'ListAccounts',
    callerAccountId: sandbox.info().managementAccountId,
    input: { MaxResults: size, NextToken: token },
    requestId: '-',
  });
  if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer));
  const listed = answer.output['Accounts'];
  return { ids: Array.isArray(listed) ? listed.map(({ Id }) => String(Id)) : [], next: answer.output['NextToken'] };
}

/** Makes an account join or leave. @returns the account that left */
function comeOrGo(sandbox: Sandbox, join: boolean): string | undefined {
  if (join) {
    sandbox.changeAccounts({ add: [{}] });
    return undefined;
  }
  const { delegatedAdministratorId } = sandbox.info();
  const leaver = sandbox
    .accounts()
    .find(({ accountId, management }) => !management && accountId !== delegatedAdministratorId);
  if (leaver !== undefined) sandbox.changeAccounts({ remove: [leaver.accountId] });
  return leaver?.accountId;
}

test('paging lists every permanent account exactly once, while others join or leave', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean(), { maxLength: 10 }), (size, joins) => {
      const sandbox = createSandbox({ accounts: 40 }, { clock: { now: () => START } });
      const lasting = new Set(sandbox.accounts().map(({ accountId }) => accountId));
      const changes = joins.values();
      const seen: string[] = [];
      let token: unknown;
      do {
        const { ids, next } = accountPage(sandbox, size, token);
        seen.push(...ids);
        if (seen.length > 100) throw new Error('The listing does not end');
        token = next;
        const join = changes.next();
        if (join.done !== true) lasting.delete(comeOrGo(sandbox, join.value) ?? '');
      } while (token !== undefined);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining([...lasting]));
    }),
    { numRuns: 100 },
  );
});
