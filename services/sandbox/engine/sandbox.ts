import { type AccountChanges, type AccountTruth, accountTruth, changeAccounts } from './accounts.ts';
import type { StoredConfiguration } from './configurations.ts';
import { applyDrift, ControlError, type DriftEvent, type DriftRequest } from './drift.ts';
import { accountsIn, type Fault, type FaultEffect, Faults, hollowed } from './faults.ts';
import { type Call, Failure, type RecordedEvent, text } from './operation.ts';
import { type EngineOptions, engineDefaults } from './options.ts';
import { isOpen } from './organization.ts';
import { createRandom, type Random } from './random.ts';
import { createServices, httpStatusOf, isDocumentedError, type ServedOperation, type Service } from './services.ts';
import { Sessions } from './sessions.ts';
import { isRecord, type Violation } from './smithy.ts';
import { type State, startState } from './state.ts';
import { readerOf } from './sts.ts';
import type { CallCount, Tally } from './tallies.ts';
import type { Account, ApiAnswer, ApiError, ApiRequest, Clock, Output, RoleSession, ServiceName } from './types.ts';

export type SandboxInfo = {
  organizationId: string;
  managementAccountId: string;
  delegatedAdministratorId: string;
  accounts: number;
  memberRole: string;
};
export type Identity = { accountId: string; roleSession: RoleSession | undefined };

/**
 * A simulated AWS organization: a state machine over calls, with no I/O, no timers and no clock but the one it is given.
 * The same options, clock readings, random source and calls give the same responses.
 */
export class Sandbox {
  /** The compiled models, for translating protocols. */
  readonly services: ReadonlyMap<ServiceName, Service>;
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #random: () => Random;
  readonly #sessions: Sessions;
  #state: State;

  /** `random` creates a new source at the start and at every reset. */
  constructor(options: EngineOptions, clock: Clock, random: () => Random) {
    this.services = createServices();
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#sessions = new Sessions(random());
    this.#checkFaults(options.faults);
    this.#state = this.#start();
  }

  #start(): State {
    return startState(this.#options, this.#clock.now(), this.#random(), this.#sessions);
  }

  /** Restores the initial state. Credentials that were issued remain valid until they expire. */
  reset(): void {
    this.#state = this.#start();
  }

  info(): SandboxInfo {
    const { organization } = this.#state.world;
    return {
      organizationId: organization.id,
      managementAccountId: organization.management.id,
      delegatedAdministratorId: organization.delegatedAdministrator.id,
      accounts: organization.accounts.length,
      memberRole: this.#options.memberRole,
    };
  }

  get partition(): EngineOptions['partition'] {
    return this.#options.partition;
  }

  /** Finds the owner of an access key. A key of an unknown format belongs to the management account. Errors have the service's own codes. */
  authenticate(service: Service, accessKeyId: string, sessionToken: string | undefined): Identity | Failure {
    const { organization } = this.#state.world;
    const { codes } = service;
    const unknown = new Failure(codes.unknownCaller, 'The security token included in the request is invalid.');
    if (/^\d{12}$/.test(accessKeyId))
      return organization.account(accessKeyId) === undefined
        ? unknown
        : { accountId: accessKeyId, roleSession: undefined };
    if (!Sessions.issuedHere(accessKeyId)) return { accountId: organization.management.id, roleSession: undefined };
    const session = this.#sessions.find(accessKeyId);
    if (session === undefined || session.sessionToken !== sessionToken) return unknown;
    if (session.expiresAt <= this.#clock.now())
      return new Failure(codes.expired, 'The security token included in the request is expired');
    return { accountId: session.accountId, roleSession: session.role };
  }

  /** Handles one API call. No content of a request makes it throw. */
  handle(request: ApiRequest): ApiAnswer {
    const service = this.services.get(request.service);
    const served = service?.operations.get(request.operation);
    const { latencyMs } = this.#options;
    if (service === undefined) throw new Error(`There is no service ${request.service}`);
    if (served === undefined) {
      const failure = new Failure(service.codes.unknownOperation, `Unknown operation ${request.operation}`);
      return { kind: 'error', error: toApiError(service, failure), delayMs: latencyMs };
    }
    const now = this.#clock.now();
    this.#state.world.enrollments.settle(now);
    const tally = this.#state.tallies.of(served, request.callerAccountId, now);
    tally.count += 1;
    const concerns = [request.callerAccountId];
    if (isRecord(request.input)) concerns.push(...accountsIn(request.input));
    const effect = this.#state.faults.effectOn(request.service, request.operation, concerns);
    const delayMs = latencyMs + effect.delayMs;
    const outcome = this.#answer(service, served, request, { now, tally, effect, delayMs });
    const failed = outcome instanceof Failure;
    const throttled = failed && outcome.code === service.codes.throttle;
    if (served.operation.mutating === true && !throttled) {
      const caller = this.#state.world.organization.account(request.callerAccountId);
      this.#state.trail.record(request, caller, failed ? outcome : null, now);
    }
    tally.throttled += Number(throttled);
    tally.failed += Number((failed && !throttled) || effect.reset);
    // The connection breaks before the response arrives, but the operation has been carried out.
    if (effect.reset) return { kind: 'reset', delayMs };
    if (failed) return { kind: 'error', error: toApiError(service, outcome), delayMs };
    // As with a reset, the operation has been carried out.
    const { hollow } = effect;
    return hollow === null
      ? { kind: 'ok', output: outcome, delayMs }
      : { kind: 'hollow', output: hollowed(outcome, hollow), delayMs };
  }

  #answer(
    service: Service,
    served: ServedOperation,
    request: ApiRequest,
    { now, tally, effect, delayMs }: { now: number; tally: Tally; effect: FaultEffect; delayMs: number },
  ): Output | Failure {
    const { codes } = service;
    if (effect.error !== null) {
      const { kind, code } = effect.error;
      return new Failure(code ?? codes[kind], `Injected fault: ${kind}`);
    }
    const { world, orgBucket } = this.#state;
    const shared = served.operation.mutating === true ? orgBucket : null;
    const admitted = (tally.bucket?.has(now) ?? true) && (shared?.has(now) ?? true);
    if (!admitted) return new Failure(codes.throttle, 'Rate exceeded');
    tally.bucket?.take();
    shared?.take();
    const caller = world.organization.account(request.callerAccountId);
    if (caller === undefined || !isOpen(caller))
      return new Failure(
        codes.denied,
        `Account ${request.callerAccountId} is not an active member of the organization.`,
      );
    if (served.operation.mutating === true && request.roleSession?.roleName === readerOf(this.#options.memberRole))
      return new Failure(codes.denied, `The role of this session may not perform ${request.operation}.`);
    const violations: Violation[] = [];
    served.model.checkInput(request.input, '', violations);
    const malformed = violations.find(({ kind }) => kind === 'type');
    if (malformed !== undefined && service.name !== 'sts')
      return new Failure('SerializationException', malformed.message);
    if (violations.length > 0) return service.invalid(violations);
    const input = isRecord(request.input) ? request.input : {};
    const call: Call = {
      world,
      caller,
      roleSession: request.roleSession,
      operation: request.operation,
      input,
      now,
      pageFault: effect.page,
    };
    return this.#once(call, served, caller, delayMs);
  }

  /** Runs the operation, unless its client token was used before. */
  #once(call: Call, served: ServedOperation, caller: Account, delayMs: number): Output | Failure {
    const { operation, input, now } = call;
    const clientToken = text(input, 'clientToken');
    if (clientToken === undefined) return served.operation.run(call);
    const { answers } = this.#state;
    const key = `${caller.id} ${operation} ${clientToken}`;
    const earlier = answers.recall(key, input, now);
    if (earlier === 'inUse')
      return new Failure(
        'IdempotencyTokenInUseException',
        'The client token is in use: the first call with it has not finished yet.',
      );
    if (earlier === 'mismatch')
      return new Failure(
        'IdempotentParameterMismatchException',
        'The client token was used before with different parameters.',
      );
    if (earlier !== undefined) return earlier;
    const output = served.operation.run(call);
    if (!(output instanceof Failure)) answers.remember(key, input, output, { at: now, answeredAt: now + delayMs });
    return output;
  }

  /** The real state of all accounts, or of one. */
  accounts(accountId?: string): AccountTruth[] {
    const { organization, enrollments } = this.#state.world;
    enrollments.settle(this.#clock.now());
    const one = accountId === undefined ? undefined : organization.account(accountId);
    const chosen = accountId === undefined ? organization.accounts : one === undefined ? [] : [one];
    return chosen.map((account) => accountTruth(account, enrollments));
  }

  configurations(): Pick<StoredConfiguration, 'targetId' | 'organizationRuleMode'>[] {
    const { configurations } = this.#state.world.enrollments;
    return configurations.all.map(({ targetId, organizationRuleMode }) => ({ targetId, organizationRuleMode }));
  }

  /** The root, whose parent is null, and all OUs. */
  organizationalUnits(): { id: string; name: string; parentId: string | null }[] {
    return this.#state.world.organization.units.map(({ id, name, parent }) => ({
      id,
      name,
      parentId: parent?.id ?? null,
    }));
  }

  calls(): CallCount[] {
    return this.#state.tallies.counts(this.services);
  }

  events(): readonly RecordedEvent[] {
    return this.#state.world.events.all;
  }

  /** The calls that changed enrollments, as CloudTrail events. */
  trail(): readonly Output[] {
    return this.#state.trail.events;
  }

  /** Replaces the current faults. Throws ControlError for a fault that can never apply. */
  setFaults(faults: readonly Fault[]): void {
    this.#checkFaults(faults);
    this.#state.faults = new Faults(faults, this.#state.world.random);
  }

  #checkFaults(faults: readonly Fault[]): void {
    for (const { service, operation, code } of faults) {
      const named = service === undefined ? [...this.services.values()] : [this.services.get(service)];
      if (operation !== undefined && !named.some((candidate) => candidate?.operations.has(operation)))
        throw new ControlError(`No operation ${operation} in ${service ?? 'any service'}`);
      if (code !== undefined && !isDocumentedError(this.services, code))
        throw new ControlError(`${code} is not an error that any of the services documents`);
    }
  }

  /** Changes enrollments as a user of the accounts would. Throws ControlError for an impossible change. */
  drift(request: DriftRequest): DriftEvent[] {
    const { organization, enrollments } = this.#state.world;
    const now = this.#clock.now();
    enrollments.settle(now);
    const caused = applyDrift(organization, enrollments, request, now);
    for (const each of caused) this.#state.trail.recordDrift(each);
    return caused;
  }

  /** Adds, moves, closes and removes accounts. Throws ControlError for an impossible change. */
  changeAccounts(changes: AccountChanges): string[] {
    const { organization, enrollments, random } = this.#state.world;
    const now = this.#clock.now();
    enrollments.settle(now);
    const { tagIndexDelayMs } = this.#options;
    return changeAccounts(organization, enrollments, changes, { now, random, tagIndexDelayMs });
  }

  setTrustedAccess(enabled: boolean): void {
    const { enrollments } = this.#state.world;
    const now = this.#clock.now();
    enrollments.settle(now);
    enrollments.setTrustedAccess(enabled, now);
  }

  /** An error outside any operation, with the service's format and HTTP status. */
  refuse(service: ServiceName, failure: Failure): ApiError {
    const known = this.services.get(service);
    if (known === undefined) throw new Error(`There is no service ${service}`);
    return toApiError(known, failure);
  }
}

function toApiError(service: Service, { code, message, members }: Failure): ApiError {
  const error: ApiError = { code, httpStatus: httpStatusOf(service, code), message };
  return members === undefined ? error : { ...error, members };
}

/** Creates a sandbox from `overrides` of the defaults. Its random source is derived from the seed unless one is given. */
export function createSandbox(
  overrides: Partial<EngineOptions>,
  parts: { clock: Clock; random?: (() => Random) | undefined },
): Sandbox {
  const options = { ...engineDefaults, ...overrides };
  // Separate from the generator's sequence: behaviour at run time must not depend on how many numbers generating took.
  const random = parts.random ?? (() => createRandom(options.seed ^ 0x5bd1e995));
  return new Sandbox(options, parts.clock, random);
}
