import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import {
  type ApiError,
  type RoleSession,
  SERVICE_NAMES,
  type ServiceName,
} from '../../services/sandbox/engine/types.ts';
import { toCloudError } from '../../shared/adapters/aws/cloud/cloud-errors.ts';
import { createConfigurations } from '../../shared/adapters/aws/cloud/configurations.ts';
import type { WireRequest } from '../../shared/adapters/aws/cloud/kinds/driver.ts';
import { DRIVERS } from '../../shared/adapters/aws/cloud/kinds/index.ts';
import { NEVER_ENROLLED } from '../../shared/adapters/aws/cloud/responses.ts';
import {
  COMPLETE_ANSWERS,
  type CompleteAnswer,
  IncompleteAnswerError,
  missingFrom,
} from '../../shared/adapters/aws/complete-answers.ts';
import { isAboutCredentials, meansNeverEnrolled } from '../../shared/adapters/aws/vendor-error-codes.ts';
import type { AccountId, Caller } from '../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type { CallGate, CallKey, Cloud, MeteredCall, ReadOrganizationOptions } from '../../shared/ports/cloud.ts';
import { CloudError } from '../../shared/ports/cloud.ts';
import { itemsOf, tagsOf, textOf, tokenOf, withIndexedTags, withTags } from './engine-tags.ts';
import { unitIdsOf, unitsOf } from './units.ts';

/** A request as it is sent. */
export interface Request {
  readonly service: ServiceName;
  readonly operation: string;
  readonly callerAccountId: AccountId;
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

export interface EngineCloudOptions {
  readonly sandbox: Sandbox;
  readonly caller: Caller;
  readonly gate: CallGate;
  readonly newRequestId: () => string;
  /** The process's clock. */
  readonly now: () => number;
  /** The request's way there, without a delay, and the response's way back, with a delay. The process may die on either. */
  readonly travel: (leg: 'there' | 'back', request: Request, delayMs: number) => Promise<void>;
  /** Called right before the engine acts. */
  readonly onArrival: (request: Request) => void;
  /** Called right after the engine acts; `null` for an error, which is `refused`, or a broken connection. */
  readonly onAnswer: (request: Request, output: Output | null, refused: boolean) => void;
  /** Called when the response has arrived. */
  readonly onReceipt: (request: Request, output: Output) => void;
}

type Output = Readonly<Record<string, unknown>>;

/**
 * The Cloud port on the sandbox's engine without a network: the same calls and errors as the AWS adapter. OU names come directly from the
 * engine, because other tests cover how they are read.
 */
export function engineCloud(options: EngineCloudOptions): Cloud {
  const { sandbox, caller, gate, newRequestId, travel, onArrival, onAnswer, onReceipt } = options;
  const sessions = new Map<AccountId, RoleSession>();

  type Key = CallKey & { readonly service: ServiceName };
  type Answer = { readonly output: Output; readonly requestId: string };

  const metered = (key: CallKey, signer: AccountId): MeteredCall => {
    return { ...key, meteredIn: signer === caller.accountId ? 'caller' : 'member' };
  };

  async function make(key: Key, callerAccountId: AccountId, input: Output): Promise<Answer> {
    const leave = await gate.acquire(metered(key, callerAccountId));
    return act(key, callerAccountId, input, leave);
  }

  async function act(key: Key, callerAccountId: AccountId, input: Output, leave?: number): Promise<Answer> {
    const request = { ...key, callerAccountId, input, requestId: newRequestId() };
    let outcome: 'ok' | 'throttled' | 'failed' = 'failed';
    try {
      await travel('there', request, 0);
      onArrival(request);
      const answer = sandbox.handle({ ...request, roleSession: sessions.get(callerAccountId) });
      onAnswer(request, answer.kind === 'ok' ? answer.output : null, answer.kind === 'error');
      await travel('back', request, answer.delayMs);
      if (answer.kind === 'error') throw refused(answer.error, request.requestId);
      if (answer.kind === 'reset') throw broken();
      const output = answer.output ?? {};
      requireComplete(key, output);
      onReceipt(request, output);
      outcome = 'ok';
      return { output, requestId: request.requestId };
    } catch (error) {
      const member = callerAccountId !== caller.accountId;
      const failure = toCloudError(error, { ...key, accountId: callerAccountId, member });
      if (member && isAboutCredentials(failure.details.code)) sessions.delete(callerAccountId);
      outcome = failure.kind === 'Throttled' ? 'throttled' : 'failed';
      throw failure;
    } finally {
      gate.report(metered(key, callerAccountId), outcome, leave);
    }
  }

  async function assume(accountId: AccountId): Promise<void> {
    if (accountId === caller.accountId || sessions.has(accountId)) return;
    const RoleArn = `arn:aws:iam::${accountId}:role/RollcallMember`;
    const input = { RoleArn, RoleSessionName: 'rollcall' };
    await make({ service: 'sts', operation: 'AssumeRole' }, caller.accountId, input);
    sessions.set(accountId, { roleName: 'RollcallMember', sessionName: 'rollcall' });
  }

  const own = async (key: Key, input: Output) => (await make(key, caller.accountId, input)).output;

  /** A request of a driver with the caller's own credentials. */
  function send({ key, input }: WireRequest, accountId = caller.accountId) {
    return make({ ...key, service: serviceOf(key) }, accountId, { ...input });
  }

  return {
    identify: async () => caller,
    async readOrganization(reading: ReadOrganizationOptions) {
      const { tags, retry, once = (_key, call) => call(), onProgress } = reading;
      const takenAt = options.now();
      const ids = new Set<string>();
      let token: string | undefined;
      let pages = 0;
      do {
        pages += 1;
        const input: Output = { MaxResults: 20, ...(token !== undefined && { NextToken: token }) };
        const key = { service: 'organizations', operation: 'ListAccounts' } as const;
        const page = await once(`ListAccounts/${pages}/${token ?? ''}`, () =>
          retry(async () => (await make(key, caller.accountId, input)).output),
        );
        for (const account of itemsOf(page, 'Accounts')) ids.add(textOf(account, 'Id'));
        token = tokenOf(page);
        onProgress?.(ids.size);
      } while (token !== undefined);
      const present = accountsOf(sandbox, (id) => ids.has(id));
      const isManagement = caller.accountId === caller.managementAccountId;
      const accounts =
        tags && isManagement ? await withIndexedTags(own, present, reading) : await withTags(own, present, reading);
      const { organizationId, managementAccountId } = caller;
      return { organizationId, managementAccountId, takenAt, tags, accounts };
    },
    async readAccount(accountId, { tags, retry }) {
      const key = { service: 'organizations', operation: 'DescribeAccount' } as const;
      await retry(async () => make(key, caller.accountId, { AccountId: accountId })).catch((error: unknown) => {
        if (!(error instanceof CloudError) || error.details.code !== 'AccountNotFoundException') throw error;
      });
      const [found = null] = await withTags(
        own,
        accountsOf(sandbox, (id) => id === accountId),
        { tags, retry },
      );
      return found;
    },
    async readTags(accountId, reading) {
      try {
        return await tagsOf(own, accountId, reading);
      } catch (error) {
        if (error instanceof CloudError && error.details.code === 'TargetNotFoundException') return null;
        throw error;
      }
    },
    async readUnits({ retry }) {
      await retry(async () => make({ service: 'organizations', operation: 'ListRoots' }, caller.accountId, {}));
      return unitsOf(sandbox);
    },
    async trustedAccess() {
      const key = { service: 'organizations', operation: 'ListAWSServiceAccessForOrganization' } as const;
      const { output } = await make(key, caller.accountId, {});
      const enabled: readonly unknown[] = Array.isArray(output['EnabledServicePrincipals'])
        ? output['EnabledServicePrincipals']
        : [];
      return enabled.some((each) => JSON.stringify(each).includes('compute-optimizer'));
    },
    async list(kind, pageToken) {
      const request = DRIVERS[kind].list(pageToken);
      const { output } = await send(request);
      const { leftOut, ...page } = DRIVERS[kind].parsePage(output, { key: request.key, session: caller });
      return { ...page, leftOut: leftOut.map(({ accountId }) => accountId) };
    },
    async read(kind, accountId) {
      const request = DRIVERS[kind].read();
      try {
        await assume(accountId);
        const { output } = await send(request, accountId);
        return DRIVERS[kind].parseRead(output, { key: request.key, session: { accountId } });
      } catch (error) {
        if (error instanceof CloudError && meansNeverEnrolled(error.details.code)) return NEVER_ENROLLED;
        throw error;
      }
    },
    async prepareChange(change) {
      const { kind, target } = change;
      const { key, input } = DRIVERS[kind].change(change);
      const accountId = target.scope === 'account' ? target.accountId : caller.accountId;
      await assume(accountId);
      const leave = await gate.acquire(metered(key, accountId));
      return async () => {
        const { output, requestId } = await act({ ...key, service: serviceOf(key) }, accountId, { ...input }, leave);
        return { requestId, ...DRIVERS[kind].parseChange(output, change) };
      };
    },
    configurations: createConfigurations({
      async prepare({ key, input }) {
        const { accountId } = caller;
        const leave = await gate.acquire(metered(key, accountId));
        return async () => {
          const { output, requestId } = await act({ ...key, service: serviceOf(key) }, accountId, { ...input }, leave);
          return { answer: output, requestId, accountId };
        };
      },
    }),
  };
}

function accountsOf(sandbox: Sandbox, wanted: (id: AccountId) => boolean): OrganizationAccount[] {
  const units = unitsOf(sandbox);
  return sandbox
    .accounts()
    .filter(({ accountId }) => wanted(accountId))
    .map(({ accountId: id, name, ou, state, management }) => {
      const place = { ou, unitIds: unitIdsOf(units, ou) };
      return { id, name, ...place, state, management, tags: null };
    });
}

function serviceOf({ service }: CallKey): ServiceName {
  const found = SERVICE_NAMES.find((each) => each === service);
  if (found === undefined) throw new Error(`the sandbox has no service ${service}`);
  return found;
}

/** Checks completeness like the adapter's clients. @throws IncompleteAnswerError */
function requireComplete({ service, operation }: CallKey, output: Output): void {
  const entries: Readonly<Record<string, Readonly<Record<string, CompleteAnswer>>>> = COMPLETE_ANSWERS;
  const complete = entries[service]?.[operation];
  if (complete === undefined) throw new Error(`${operation} of ${service} has no entry in COMPLETE_ANSWERS`);
  const missing = missingFrom(output, complete);
  if (missing !== null) throw new IncompleteAnswerError(missing, output);
}

/** The error that the SDK throws for this answer. */
function refused({ code, message, httpStatus }: ApiError, requestId: string): Error {
  const metadata = { httpStatusCode: httpStatus, requestId };
  return Object.assign(new Error(message), { name: code, $fault: 'client', $metadata: metadata });
}

/** The connection broke before the answer arrived. */
function broken(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}
