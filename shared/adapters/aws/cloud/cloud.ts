import { batchSizeOf } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { DIRECT, type Network } from '../../../domain/network.ts';
import { type CallGate, type CallKey, type ChangeRequest, type Cloud, CloudError } from '../../../ports/cloud.ts';
import type { Clock, Logger } from '../../../ports/system.ts';
import type { Tracer } from '../../../ports/tracer.ts';
import { isAboutCredentials, meansNeverEnrolled } from '../vendor-error-codes.ts';
import { assumeMemberRole } from './assume-role.ts';
import { type Calls, createCalls, type Session } from './call-pipeline.ts';
import { type CachedIdentity, cachedIdentity, identifyCaller } from './caller.ts';
import { type Clients, createClients } from './clients.ts';
import { ownError } from './cloud-errors.ts';
import { createConfigurations } from './configurations.ts';
import type { WireAnswer, WireRequest } from './kinds/driver.ts';
import { DRIVERS } from './kinds/index.ts';
import { createMemberSessions } from './member-sessions.ts';
import { readAccount, readOrganization } from './organization.ts';
import { tagsOf } from './organization-accounts.ts';
import { readUnits } from './organization-paths.ts';
import { createReader } from './organization-reader.ts';
import { NEVER_ENROLLED } from './responses.ts';
import { readTrustedAccess } from './trusted-access.ts';

export interface AwsCloudOptions {
  readonly gate: CallGate;
  readonly clock: Clock;
  /** The role to assume in member accounts: its name, with its path if it has one (`ops/RollcallMember`). */
  readonly memberRole: string;
  readonly externalId: string | null;
  /** Appears in the CloudTrail of the member account; default `rollcall`. */
  readonly sessionName?: string;
  /** Default: the SDK's own settings (AWS_REGION, profile). Endpoints, credentials, FIPS and dual-stack always come from those. */
  readonly region?: string;
  /** Default: direct connections. */
  readonly network?: Network;
  /** Maximum number of open connections; default 128. */
  readonly maxSockets?: number;
  /** Default: 5 s to connect, 30 s to answer. */
  readonly timeouts?: { readonly connectMs: number; readonly requestMs: number };
  readonly logger?: Logger;
  /** Default: calls are not traced. */
  readonly tracer?: Tracer;
  /** Maximum number of accounts in the organization; default `MAX_ACCOUNTS`. */
  readonly maxAccounts?: number;
}

/** The Cloud port over the AWS SDK. It connects at the first call. `close` aborts the calls in progress and makes every later call fail. */
export function createAwsCloud(options: AwsCloudOptions): Cloud & { close(): void } {
  const { gate, clock, logger, maxAccounts } = options;
  const clients = createClients({
    region: options.region,
    maxSockets: options.maxSockets ?? 128,
    connectTimeoutMs: options.timeouts?.connectMs ?? 5_000,
    requestTimeoutMs: options.timeouts?.requestMs ?? 30_000,
    logger: logger ?? null,
    network: options.network ?? DIRECT,
  });
  const calls = createCalls(clients, gate, options.tracer);
  const caller = cachedIdentity(clients, calls);
  const sessions = createSessions(options, clients, calls, caller);
  let warnedOfTagIndex = false;
  const onNoTagIndex = (reason: string): void => {
    if (!warnedOfTagIndex) logger?.warn(reason);
    warnedOfTagIndex = true;
  };

  return {
    close: () => clients.close(),

    async identify() {
      caller.forget();
      return identifyCaller(clients, calls, await caller.get());
    },

    async readOrganization(reading) {
      const takenAt = clock.now();
      const own = await reading.retry(() => caller.get());
      const options = { ...reading, logger, maxAccounts, onNoTagIndex };
      const organization = await readOrganization(clients, calls, own, options);
      return { ...organization, takenAt };
    },

    async readAccount(accountId, reading) {
      const own = await reading.retry(() => caller.get());
      return readAccount(clients, calls, own.accountId, accountId, { ...reading, logger });
    },

    async readTags(accountId, reading) {
      const own = await reading.retry(() => caller.get());
      return tagsOf(createReader(clients, calls, own.accountId, { ...reading, logger }), accountId);
    },

    async readUnits(reading) {
      const { accountId } = await reading.retry(() => caller.get());
      return readUnits(createReader(clients, calls, accountId, { ...reading, logger, maxAccounts }));
    },

    async trustedAccess() {
      return readTrustedAccess(clients, calls, (await caller.get()).accountId);
    },

    async list(kind, pageToken) {
      const request = DRIVERS[kind].list(pageToken);
      const session = await sessions.own(request.key);
      const answer = await sessions.send(request, session);
      const { items, nextToken, leftOut } = DRIVERS[kind].parsePage(answer, { key: request.key, session });
      for (const { accountId, why } of leftOut) {
        logger?.warn(`left out of the listing: account ${accountId} has ${why}, which this version does not know`);
      }
      return { items, nextToken, leftOut: leftOut.map(({ accountId }) => accountId) };
    },

    async read(kind, accountId) {
      const request = DRIVERS[kind].read();
      const session = await sessions.of(accountId, request.key);
      try {
        return DRIVERS[kind].parseRead(await sessions.send(request, session), { key: request.key, session });
      } catch (error) {
        if (error instanceof CloudError && meansNeverEnrolled(error.details.code)) return NEVER_ENROLLED;
        throw error;
      }
    },

    async prepareChange(change) {
      const { kind, target } = change;
      const request = DRIVERS[kind].change(change);
      refuseBatchSize(change, request.key);
      const session =
        target.scope === 'account' ? await sessions.of(target.accountId, request.key) : await sessions.own(request.key);
      const send = await sessions.prepare(request, session);
      return async () => {
        const answer = await send();
        return { requestId: answer.$metadata.requestId ?? null, ...DRIVERS[kind].parseChange(answer, change) };
      };
    },

    configurations: createConfigurations({
      async prepare(request) {
        const session = await sessions.own(request.key);
        const send = await sessions.prepare(request, session);
        return async () => {
          const answer = await send();
          return { answer, requestId: answer.$metadata.requestId ?? null, accountId: session.accountId };
        };
      },
      warn: (message) => logger?.warn(message),
      maxAccounts,
    }),
  };
}

function refuseBatchSize({ kind, action, target }: ChangeRequest, key: CallKey): void {
  if (target.scope !== 'batch') return;
  const { length } = target.accountIds;
  const most = batchSizeOf(kind, action);
  if (length > 0 && length <= most) return;
  const message = `${action} accepts 1 to ${most} accounts, not ${length}.`;
  throw ownError('Invalid', 'BatchSize', { ...key, accountId: null }, message);
}

/** Chooses the credentials for each call. */
interface Sessions {
  /** The caller's own credentials for its own account, those of the member role for every other account. */
  of(accountId: AccountId, key: CallKey): Promise<Session>;
  own(key: CallKey): Promise<Session>;
  /** Waits for the rate limiter. @returns a function that sends the request */
  prepare(request: WireRequest, session: Session): Promise<() => Promise<WireAnswer>>;
  /** Sends a request. If AWS refuses the credentials of a member role, the next attempt assumes the role again. */
  send(request: WireRequest, session: Session): Promise<WireAnswer>;
}

function createSessions(options: AwsCloudOptions, clients: Clients, calls: Calls, caller: CachedIdentity): Sessions {
  const members = createMemberSessions(
    async (accountId) => assumeMemberRole(clients, calls, options, await caller.get(), accountId),
    options.clock,
  );
  return {
    async of(accountId, key) {
      const own = await caller.get();
      return accountId === own.accountId ? calls.ownSession(key, accountId) : members.get(accountId);
    },
    async own(key) {
      return calls.ownSession(key, (await caller.get()).accountId);
    },
    prepare,
    async send(request, session) {
      const send = await prepare(request, session);
      return send();
    },
  };

  async function prepare({ key, send }: WireRequest, session: Session): Promise<() => Promise<WireAnswer>> {
    const sendPrepared = await calls.prepare({ key, session, send: () => send(clients) });
    return async () => {
      try {
        return await sendPrepared();
      } catch (error) {
        // The next attempt assumes the role again.
        if (session.member && error instanceof CloudError && isAboutCredentials(error.details.code)) {
          members.drop(session);
        }
        throw error;
      }
    };
  }
}
