import {
  GetEnrollmentStatusCommand,
  GetEnrollmentStatusesForOrganizationCommand,
  UpdateEnrollmentStatusCommand,
} from '@aws-sdk/client-compute-optimizer';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { DIRECT, type Network } from '../../../domain/network.ts';
import {
  type BatchRequest,
  type BatchResult,
  type BeforeSend,
  type CallGate,
  type CallResult,
  type Cloud,
  CloudError,
  MAX_BATCH,
  type Observed,
  type UpdateConfigurationRequest,
  type UpdateStatusRequest,
} from '../../../ports/cloud.ts';
import type { Clock, Logger } from '../../../ports/system.ts';
import { isAboutCredentials, meansNeverEnrolled } from '../vendor-error-codes.ts';
import { assumeMemberRole } from './assume-role.ts';
import {
  AssociateAccountsCommand,
  DisassociateAccountsCommand,
  GetEnrollmentConfigurationCommand,
  ListAccountsCommand,
  UpdateEnrollmentConfigurationCommand,
} from './automation-client/index.ts';
import { type Call, type Calls, createCalls, type Session } from './call-pipeline.ts';
import { identifyCaller, type OwnIdentity, readOwnIdentity } from './caller.ts';
import { type Clients, createClients } from './clients.ts';
import { ownError } from './cloud-errors.ts';
import { createMemberSessions, type MemberSessions } from './member-sessions.ts';
import { readAccount, readOrganization } from './organization.ts';
import {
  automationPage,
  computeOptimizerPage,
  type EnrollmentPage,
  NEVER_ENROLLED,
  observedEnrollment,
  textOrNull,
} from './responses.ts';
import { readTrustedAccess } from './trusted-access.ts';

export interface AwsCloudOptions {
  readonly gate: CallGate;
  readonly clock: Clock;
  /** Role assumed in member accounts: its name, with its path if it has one (`ops/RollcallMember`). */
  readonly memberRole: string;
  readonly externalId: string | null;
  /** Shows in the member account's CloudTrail; default `rollcall`. */
  readonly sessionName?: string;
  /** Default: the SDK's own settings (AWS_REGION, profile). Endpoints, credentials, FIPS and dual-stack are always those. */
  readonly region?: string;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Connections at once; default 128. */
  readonly maxSockets?: number;
  /** Default 5 s to connect, 30 s to answer. */
  readonly timeouts?: { readonly connectMs: number; readonly requestMs: number };
  readonly logger?: Logger;
  /** How many accounts the organization may have; default: `MAX_ACCOUNTS`. */
  readonly maxAccounts?: number;
}

/** AWS takes at most this many [API_GetEnrollmentStatusesForOrganization, API_automation_ListAccounts]. */
const STATUSES_A_PAGE = 100;
const ACCOUNTS_A_PAGE = 1000;

const COMPUTE_OPTIMIZER = 'compute-optimizer';
const AUTOMATION = 'aco-automation';

/**
 * The cloud as AWS has it, through the AWS SDK. Credentials, region, profile and endpoints are the SDK's own settings. It opens
 * no connection before the first call; `close` breaks off what is under way and makes every later call fail.
 */
export function createAwsCloud(options: AwsCloudOptions): Cloud & { close(): void } {
  const clients = createClients({
    region: options.region,
    maxSockets: options.maxSockets ?? 128,
    connectTimeoutMs: options.timeouts?.connectMs ?? 5_000,
    requestTimeoutMs: options.timeouts?.requestMs ?? 30_000,
    logger: options.logger ?? null,
    network: options.network ?? DIRECT,
  });
  return new AwsCloud(clients, createCalls(clients, options.gate), options);
}

class AwsCloud implements Cloud {
  readonly #clients: Clients;
  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #maxAccounts: number | undefined;
  readonly #members: MemberSessions;
  #own: Promise<OwnIdentity> | null = null;

  constructor(clients: Clients, calls: Calls, options: AwsCloudOptions) {
    this.#clients = clients;
    this.#calls = calls;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#maxAccounts = options.maxAccounts;
    this.#members = createMemberSessions(
      async (accountId) => assumeMemberRole(clients, calls, options, await this.#ownIdentity(), accountId),
      options.clock,
    );
  }

  close(): void {
    this.#clients.close();
  }

  async identify() {
    this.#own = null;
    return identifyCaller(this.#clients, this.#calls, await this.#ownIdentity());
  }

  async readOrganization(options: Parameters<Cloud['readOrganization']>[0]) {
    const takenAt = this.#clock.now();
    const own = await options.retry(() => this.#ownIdentity());
    const organization = await readOrganization(this.#clients, this.#calls, own.accountId, {
      ...options,
      logger: this.#logger,
      maxAccounts: this.#maxAccounts,
    });
    return { ...organization, takenAt };
  }

  async readAccount(...[accountId, options]: Parameters<Cloud['readAccount']>) {
    const own = await options.retry(() => this.#ownIdentity());
    return readAccount(this.#clients, this.#calls, own.accountId, accountId, { ...options, logger: this.#logger });
  }

  async trustedAccess(): Promise<boolean> {
    return readTrustedAccess(this.#clients, this.#calls, (await this.#ownIdentity()).accountId);
  }

  async listEnrollmentStatuses(pageToken: string | null) {
    const key = { service: COMPUTE_OPTIMIZER, operation: 'GetEnrollmentStatusesForOrganization' };
    const session = await this.#ownSession(key);
    const input = { maxResults: STATUSES_A_PAGE, ...(pageToken !== null && { nextToken: pageToken }) };
    const send = () => this.#clients.computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand(input));
    const answer = await this.#calls.make({ key, session, send });
    return this.#page(computeOptimizerPage(answer, { key, session }));
  }

  async listAutomationAccounts(pageToken: string | null) {
    const key = { service: AUTOMATION, operation: 'ListAccounts' };
    const session = await this.#ownSession(key);
    const input = { maxResults: ACCOUNTS_A_PAGE, ...(pageToken !== null && { nextToken: pageToken }) };
    const send = () => this.#clients.automation.send(new ListAccountsCommand(input));
    const answer = await this.#calls.make({ key, session, send });
    return this.#page(automationPage(answer, { key, session }));
  }

  async readComputeOptimizer(accountId: AccountId): Promise<Observed> {
    const key = { service: COMPUTE_OPTIMIZER, operation: 'GetEnrollmentStatus' };
    const send = () => this.#clients.computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    return this.#read(accountId, key, send);
  }

  async readAutomation(accountId: AccountId): Promise<Observed> {
    const key = { service: AUTOMATION, operation: 'GetEnrollmentConfiguration' };
    const send = () => this.#clients.automation.send(new GetEnrollmentConfigurationCommand({}));
    return this.#read(accountId, key, send);
  }

  async updateEnrollmentStatus(request: UpdateStatusRequest, beforeSend: BeforeSend): Promise<CallResult> {
    const { accountId, status, includeMemberAccounts } = request;
    const key = { service: COMPUTE_OPTIMIZER, operation: 'UpdateEnrollmentStatus' };
    const session = await this.#sessionFor(accountId, key);
    if (includeMemberAccounts && session.member) {
      const message = `Only the caller's own account ${(await this.#ownIdentity()).accountId} can change the whole organization, not ${accountId}.`;
      throw ownError('Invalid', 'NotOwnAccount', { ...key, accountId }, message);
    }
    const input = { status, ...(includeMemberAccounts && { includeMemberAccounts }) };
    const send = () => this.#clients.computeOptimizer.send(new UpdateEnrollmentStatusCommand(input));
    return toResult(await this.#make({ key, session, beforeSend, send }));
  }

  async updateEnrollmentConfiguration(
    { accountId, status, clientToken }: UpdateConfigurationRequest,
    beforeSend: BeforeSend,
  ): Promise<CallResult> {
    const key = { service: AUTOMATION, operation: 'UpdateEnrollmentConfiguration' };
    const session = await this.#sessionFor(accountId, key);
    const command = { status, clientToken };
    const send = () => this.#clients.automation.send(new UpdateEnrollmentConfigurationCommand(command));
    return toResult(await this.#make({ key, session, beforeSend, send }));
  }

  async associateAccounts(request: BatchRequest, beforeSend: BeforeSend): Promise<BatchResult> {
    const input = toBatch(request);
    const send = () => this.#clients.automation.send(new AssociateAccountsCommand(input));
    return this.#batch('AssociateAccounts', request, beforeSend, send);
  }

  async disassociateAccounts(request: BatchRequest, beforeSend: BeforeSend): Promise<BatchResult> {
    const input = toBatch(request);
    const send = () => this.#clients.automation.send(new DisassociateAccountsCommand(input));
    return this.#batch('DisassociateAccounts', request, beforeSend, send);
  }

  async #batch(
    operation: string,
    { accountIds }: BatchRequest,
    beforeSend: BeforeSend,
    send: () => Promise<BatchAnswer>,
  ): Promise<BatchResult> {
    const key = { service: AUTOMATION, operation };
    const session = await this.#ownSession(key);
    if (accountIds.length === 0 || accountIds.length > MAX_BATCH) {
      const message = `${operation} takes 1 to ${MAX_BATCH} accounts, not ${accountIds.length}.`;
      throw ownError('Invalid', 'BatchSize', { ...key, accountId: session.accountId }, message);
    }
    const answer = await this.#calls.make({ key, session, beforeSend, send });
    const requested = new Set(accountIds);
    return {
      requestId: answer.$metadata.requestId ?? null,
      succeeded: new Set(listOf(answer.accountIds).filter((id) => requested.has(id))),
      errors: listOf(answer.errors).map((each) => textOrNull(each) ?? ''),
    };
  }

  async #read(accountId: AccountId, key: Call<unknown>['key'], send: () => Promise<unknown>): Promise<Observed> {
    const session = await this.#sessionFor(accountId, key);
    try {
      return observedEnrollment(await this.#make({ key, session, send }), { key, session });
    } catch (error) {
      if (error instanceof CloudError && meansNeverEnrolled(error.details.code)) {
        return NEVER_ENROLLED;
      }
      throw error;
    }
  }

  /** A call by a session that may have ended meanwhile; if so it is forgotten, and the next attempt assumes the role anew. */
  async #make<Answer>(call: Call<Answer>): Promise<Answer> {
    try {
      return await this.#calls.make(call);
    } catch (error) {
      if (call.session.member && error instanceof CloudError && isAboutCredentials(error.details.code)) {
        this.#members.drop(call.session);
      }
      throw error;
    }
  }

  #page({ items, nextToken, leftOut }: EnrollmentPage) {
    for (const { accountId, why } of leftOut) {
      this.#logger?.warn(`left out of the listing: account ${accountId} has ${why}, which this version does not know`);
    }
    return { items, nextToken, leftOut: leftOut.map(({ accountId }) => accountId) };
  }

  async #sessionFor(accountId: AccountId, key: Call<unknown>['key']): Promise<Session> {
    const own = await this.#ownIdentity();
    return accountId === own.accountId ? this.#calls.ownSession(key, accountId) : this.#members.get(accountId);
  }

  async #ownSession(key: Call<unknown>['key']): Promise<Session> {
    const own = await this.#ownIdentity();
    return this.#calls.ownSession(key, own.accountId);
  }

  /** Asked once for all; a failure is not kept. */
  #ownIdentity(): Promise<OwnIdentity> {
    if (this.#own === null) {
      const asked = readOwnIdentity(this.#clients, this.#calls);
      this.#own = asked;
      asked.catch(() => {
        if (this.#own === asked) {
          this.#own = null;
        }
      });
    }
    return this.#own;
  }
}
interface BatchAnswer {
  readonly accountIds?: unknown;
  readonly errors?: unknown;
  readonly $metadata: { readonly requestId?: string | undefined };
}

function toBatch({ accountIds, clientToken }: BatchRequest) {
  return { accountIds: [...accountIds], clientToken };
}

/** What does not come back as a list of texts names no account that succeeded. */
function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** The answer of a change is passed on and never concluded from, so that a strange one is no failure of the change. */
function toResult(answer: {
  readonly status?: unknown;
  readonly statusReason?: unknown;
  readonly $metadata: BatchAnswer['$metadata'];
}): CallResult {
  return {
    requestId: answer.$metadata.requestId ?? null,
    status: textOrNull(answer.status),
    statusReason: textOrNull(answer.statusReason),
  };
}
