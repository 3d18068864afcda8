import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { ApiError, RoleSession, ServiceName } from '../../services/sandbox/engine/types.ts';
import { toCloudError } from '../../shared/adapters/aws/cloud/cloud-errors.ts';
import {
  automationPage,
  computeOptimizerPage,
  NEVER_ENROLLED,
  observedEnrollment,
} from '../../shared/adapters/aws/cloud/responses.ts';
import {
  COMPLETE_ANSWERS,
  type CompleteAnswer,
  IncompleteAnswerError,
  missingFrom,
} from '../../shared/adapters/aws/complete-answers.ts';
import { isAboutCredentials, meansNeverEnrolled } from '../../shared/adapters/aws/vendor-error-codes.ts';
import type { AccountId, Caller } from '../../shared/domain/enrollment/model.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import type {
  BatchRequest,
  BatchResult,
  BeforeSend,
  CallGate,
  CallKey,
  CallResult,
  Cloud,
  ListedEnrollment,
  Observed,
  Page,
  ReadOrganizationOptions,
} from '../../shared/ports/cloud.ts';
import { CloudError } from '../../shared/ports/cloud.ts';

/** A request as it leaves. */
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
  /** The way there, which nobody can stop, and the way back, which takes its time; either may be the end of the process. */
  readonly travel: (leg: 'there' | 'back', request: Request, delayMs: number) => Promise<void>;
  /** Right before the engine acts: nothing comes in between. */
  readonly onArrival: (request: Request) => void;
  /** Right after it, before the answer is on its way; `null`: an error, or a broken connection. */
  readonly onAnswer: (request: Request, output: Output | null) => void;
}

type Output = Readonly<Record<string, unknown>>;

const CO = 'compute-optimizer';
const AUTOMATION = 'aco-automation';

/**
 * The Cloud port over the sandbox's pure engine: the same calls as the adapter for AWS makes, the same meaning of its errors, no wire. What
 * an organization's reading needs beside ListAccounts and tags (names of OUs) is taken from the engine's truth: that is another test's business.
 */
export function engineCloud(options: EngineCloudOptions): Cloud {
  const { sandbox, caller, gate, newRequestId, travel, onArrival, onAnswer } = options;
  const sessions = new Map<AccountId, RoleSession>();

  async function make(
    key: CallKey & { readonly service: ServiceName },
    callerAccountId: AccountId,
    input: Output,
    beforeSend?: BeforeSend,
  ): Promise<{ readonly output: Output; readonly requestId: string }> {
    const leave = await gate.acquire(key);
    await beforeSend?.();
    const request = { ...key, callerAccountId, input, requestId: newRequestId() };
    let outcome: 'ok' | 'throttled' | 'failed' = 'failed';
    try {
      await travel('there', request, 0);
      onArrival(request);
      const answer = sandbox.handle({ ...request, roleSession: sessions.get(callerAccountId) });
      onAnswer(request, answer.kind === 'ok' ? answer.output : null);
      await travel('back', request, answer.delayMs);
      if (answer.kind === 'error') throw refused(answer.error, request.requestId);
      if (answer.kind === 'reset') throw broken();
      const output = answer.output ?? {};
      requireComplete(key, output);
      outcome = 'ok';
      return { output, requestId: request.requestId };
    } catch (error) {
      const member = callerAccountId !== caller.accountId;
      const failure = toCloudError(error, { ...key, accountId: callerAccountId, member });
      if (member && isAboutCredentials(failure.details.code)) sessions.delete(callerAccountId);
      outcome = failure.kind === 'Throttled' ? 'throttled' : 'failed';
      throw failure;
    } finally {
      gate.report(key, outcome, leave);
    }
  }

  async function tagsOf(
    accountId: AccountId,
    { retry, once = (_key, call) => call() }: Pick<ReadOrganizationOptions, 'retry' | 'once'>,
  ): Promise<Record<string, string>> {
    const key = { service: 'organizations', operation: 'ListTagsForResource' } as const;
    const tags: Record<string, string> = {};
    let token: string | undefined;
    let pages = 0;
    do {
      pages += 1;
      const input: Output = { ResourceId: accountId, ...(token !== undefined && { NextToken: token }) };
      const page = await once(`ListTagsForResource/${accountId}/${pages}/${token ?? ''}`, () =>
        retry(async () => (await make(key, caller.accountId, input)).output),
      );
      for (const tag of itemsOf(page, 'Tags')) tags[textOf(tag, 'Key')] = textOf(tag, 'Value');
      token = tokenOf(page);
    } while (token !== undefined);
    return tags;
  }

  async function withTags(
    accounts: readonly OrganizationAccount[],
    reading: Pick<ReadOrganizationOptions, 'tags' | 'retry' | 'once'>,
  ): Promise<readonly OrganizationAccount[]> {
    if (!reading.tags) return accounts;
    const tagged: OrganizationAccount[] = [];
    for (const account of accounts) {
      try {
        tagged.push({ ...account, tags: await tagsOf(account.id, reading) });
      } catch (error) {
        if (!(error instanceof CloudError) || error.details.code !== 'TargetNotFoundException') throw error;
      }
    }
    return tagged;
  }

  async function assume(accountId: AccountId): Promise<void> {
    if (accountId === caller.accountId || sessions.has(accountId)) return;
    const RoleArn = `arn:aws:iam::${accountId}:role/RollcallMember`;
    const input = { RoleArn, RoleSessionName: 'rollcall' };
    await make({ service: 'sts', operation: 'AssumeRole' }, caller.accountId, input);
    sessions.set(accountId, { roleName: 'RollcallMember', sessionName: 'rollcall' });
  }

  async function inMember(
    service: ServiceName,
    operation: string,
    accountId: AccountId,
    input: Output,
    beforeSend?: BeforeSend,
  ) {
    await assume(accountId);
    return make({ service, operation }, accountId, input, beforeSend);
  }

  async function read(service: ServiceName, operation: string, accountId: AccountId): Promise<Observed> {
    const key = { service, operation };
    try {
      const { output } = await inMember(service, operation, accountId, {});
      return observedEnrollment(output, { key, session: { accountId } });
    } catch (error) {
      if (error instanceof CloudError && meansNeverEnrolled(error.details.code)) return NEVER_ENROLLED;
      throw error;
    }
  }

  const batch =
    (operation: string) =>
    async ({ accountIds, clientToken }: BatchRequest, beforeSend: BeforeSend): Promise<BatchResult> => {
      const key = { service: AUTOMATION, operation } as const;
      const { output, requestId } = await make(
        ...([key, caller.accountId, { accountIds: [...accountIds], clientToken }, beforeSend] as const),
      );
      const listed: readonly unknown[] = Array.isArray(output['accountIds']) ? output['accountIds'] : [];
      const errors: readonly unknown[] = Array.isArray(output['errors']) ? output['errors'] : [];
      return {
        requestId,
        succeeded: new Set(accountIds.filter((id) => listed.includes(id))),
        errors: errors.map(String),
      };
    };

  const answered = ({ output, requestId }: { output: Output; requestId: string }): CallResult => ({
    requestId,
    status: typeof output['status'] === 'string' ? output['status'] : null,
    statusReason: typeof output['statusReason'] === 'string' ? output['statusReason'] : null,
  });

  return {
    identify: async () => caller,
    async readOrganization(reading: ReadOrganizationOptions) {
      const { tags, retry, once = (_key, call) => call(), onProgress } = reading;
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
      const accounts = await withTags(
        factsOf(sandbox, (id) => ids.has(id)),
        reading,
      );
      const { organizationId, managementAccountId } = caller;
      return { organizationId, managementAccountId, takenAt: options.now(), tags, accounts };
    },
    async readAccount(accountId, { tags, retry }) {
      const key = { service: 'organizations', operation: 'DescribeAccount' } as const;
      await retry(async () => make(key, caller.accountId, { AccountId: accountId })).catch((error: unknown) => {
        if (!(error instanceof CloudError) || error.details.code !== 'AccountNotFoundException') throw error;
      });
      const [found = null] = await withTags(
        factsOf(sandbox, (id) => id === accountId),
        { tags, retry },
      );
      return found;
    },
    async trustedAccess() {
      const key = { service: 'organizations', operation: 'ListAWSServiceAccessForOrganization' } as const;
      const { output } = await make(key, caller.accountId, {});
      const enabled: readonly unknown[] = Array.isArray(output['EnabledServicePrincipals'])
        ? output['EnabledServicePrincipals']
        : [];
      return enabled.some((each) => JSON.stringify(each).includes('compute-optimizer'));
    },
    async listEnrollmentStatuses(pageToken) {
      const key = { service: CO, operation: 'GetEnrollmentStatusesForOrganization' } as const;
      const input = { maxResults: 100, ...(pageToken !== null && { nextToken: pageToken }) };
      const { output } = await make(key, caller.accountId, input);
      return pageOf(computeOptimizerPage(output, { key, session: caller }));
    },
    async listAutomationAccounts(pageToken) {
      const key = { service: AUTOMATION, operation: 'ListAccounts' } as const;
      const input = { maxResults: 1000, ...(pageToken !== null && { nextToken: pageToken }) };
      const { output } = await make(key, caller.accountId, input);
      return pageOf(automationPage(output, { key, session: caller }));
    },
    readComputeOptimizer: (accountId) => read(CO, 'GetEnrollmentStatus', accountId),
    readAutomation: (accountId) => read(AUTOMATION, 'GetEnrollmentConfiguration', accountId),
    async updateEnrollmentStatus({ accountId, status, includeMemberAccounts }, beforeSend) {
      const input = { status, ...(includeMemberAccounts && { includeMemberAccounts }) };
      return answered(await inMember(CO, 'UpdateEnrollmentStatus', accountId, input, beforeSend));
    },
    async updateEnrollmentConfiguration({ accountId, status, clientToken }, beforeSend) {
      const input = { status, clientToken };
      return answered(await inMember(AUTOMATION, 'UpdateEnrollmentConfiguration', accountId, input, beforeSend));
    },
    associateAccounts: batch('AssociateAccounts'),
    disassociateAccounts: batch('DisassociateAccounts'),
  };
}

function factsOf(sandbox: Sandbox, wanted: (id: AccountId) => boolean): OrganizationAccount[] {
  return sandbox
    .accounts()
    .filter(({ accountId }) => wanted(accountId))
    .map(({ accountId: id, name, ou, state, management }) => ({ id, name, ou, state, management, tags: null }));
}

function pageOf({ items, nextToken, leftOut }: ReturnType<typeof automationPage>): Page<ListedEnrollment> {
  return { items, nextToken, leftOut: leftOut.map(({ accountId }) => accountId) };
}

/** As the adapter's clients do. @throws IncompleteAnswerError */
function requireComplete({ service, operation }: CallKey, output: Output): void {
  const entries: Readonly<Record<string, Readonly<Record<string, CompleteAnswer>>>> = COMPLETE_ANSWERS;
  const complete = entries[service]?.[operation];
  if (complete === undefined) throw new Error(`${operation} of ${service} has no entry in COMPLETE_ANSWERS`);
  const missing = missingFrom(output, complete);
  if (missing !== null) throw new IncompleteAnswerError(missing, output);
}

function itemsOf(page: unknown, name: string): readonly unknown[] {
  const items: unknown = typeof page === 'object' && page !== null ? Reflect.get(page, name) : [];
  return Array.isArray(items) ? items : [];
}

function textOf(item: unknown, name: string): string {
  const text: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, name) : null;
  return typeof text === 'string' ? text : '';
}

function tokenOf(page: unknown): string | undefined {
  const token: unknown = typeof page === 'object' && page !== null ? Reflect.get(page, 'NextToken') : undefined;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** As the SDK throws what AWS has answered. */
function refused({ code, message, httpStatus }: ApiError, requestId: string): Error {
  const metadata = { httpStatusCode: httpStatus, requestId };
  return Object.assign(new Error(message), { name: code, $fault: 'client', $metadata: metadata });
}

/** The connection broke before the answer got through. */
function broken(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}
