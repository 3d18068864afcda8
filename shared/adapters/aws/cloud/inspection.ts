import { GetEnrollmentStatusesForOrganizationCommand } from '@aws-sdk/client-compute-optimizer';
import {
  DescribeOrganizationCommand,
  ListAWSServiceAccessForOrganizationCommand,
  ListDelegatedAdministratorsCommand,
  ListAccountsCommand as ListOrganizationAccountsCommand,
  ListRootsCommand,
} from '@aws-sdk/client-organizations';
import * as z from 'zod';
import type { EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { DIRECT, type Network } from '../../../domain/network.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../domain/page-bounds.ts';
import type { CallGate, CallKey } from '../../../ports/cloud.ts';
import type { FailedEnrollment, Inspection, OrganizationFacts } from '../../../ports/inspection.ts';
import type { Logger } from '../../../ports/system.ts';
import { ListAccountsCommand } from './automation-client/index.ts';
import { type Calls, createCalls } from './call-pipeline.ts';
import { type OwnIdentity, readOwnIdentity } from './caller.ts';
import { type Clients, createClients } from './clients.ts';
import { endlessListing } from './cloud-errors.ts';
import { MAX_PAGE } from './organization-reader.ts';
import { accountId, checked } from './responses.ts';

export interface AwsInspectionOptions {
  readonly gate: CallGate;
  readonly logger: Logger;
  /** Timeouts for connecting and for an answer. */
  readonly timeouts: { readonly connectMs: number; readonly requestMs: number };
  /** Default: direct connections. */
  readonly network?: Network;
  /** Maximum number of accounts in the organization; default `MAX_ACCOUNTS`. */
  readonly maxAccounts?: number;
}

/** A listing may contain accounts that have left, and some accounts twice. */
const SLACK = 2;
const SERVICE_PRINCIPAL = 'compute-optimizer.amazonaws.com';

const optional = z.string().nullish();
const organization = z.object({
  Organization: z.object({ Id: z.string().min(1), MasterAccountId: accountId, FeatureSet: optional }),
});
const services = z.object({
  EnabledServicePrincipals: z.array(z.object({ ServicePrincipal: z.string() })),
  NextToken: optional,
});
const administrators = z.object({
  DelegatedAdministrators: z.array(z.object({ Id: accountId })),
  NextToken: optional,
});
const accounts = z.object({
  Accounts: z.array(z.object({ Id: accountId, State: optional, Status: optional })),
  NextToken: optional,
});
const roots = z.object({ Roots: z.array(z.object({ Id: z.string().min(1) })).min(1) });
const listed = z.array(z.object({ accountId, status: optional, statusReason: optional }));
const statuses = z.object({ accountEnrollmentStatuses: listed, nextToken: optional });
const automation = z.object({ accounts: listed, nextToken: optional });

/** The reads of `doctor`. `close` aborts the calls in progress. */
export function createAwsInspection(options: AwsInspectionOptions): Inspection & { close(): void } {
  const { connectMs, requestMs } = options.timeouts;
  const clients = createClients({
    ...{ region: undefined, maxSockets: 16, connectTimeoutMs: connectMs, requestTimeoutMs: requestMs },
    logger: options.logger,
    network: options.network ?? DIRECT,
  });
  return new AwsInspection(clients, createCalls(clients, options.gate), options.maxAccounts ?? MAX_ACCOUNTS);
}

class AwsInspection implements Inspection {
  readonly #clients: Clients;
  readonly #calls: Calls;
  readonly #maxAccounts: number;
  #own: Promise<OwnIdentity> | null = null;

  constructor(clients: Clients, calls: Calls, maxAccounts: number) {
    this.#clients = clients;
    this.#calls = calls;
    this.#maxAccounts = maxAccounts;
  }

  close(): void {
    this.#clients.close();
  }

  async region(): Promise<string> {
    await this.#calls.ensureRegion({ service: 'sts', operation: 'GetCallerIdentity' });
    return this.#clients.region();
  }

  caller(): Promise<OwnIdentity> {
    this.#own ??= readOwnIdentity(this.#clients, this.#calls).catch((error: unknown) => {
      this.#own = null;
      throw error;
    });
    return this.#own;
  }

  async organization(): Promise<OrganizationFacts> {
    const send = () => this.#clients.organizations.send(new DescribeOrganizationCommand({}));
    const { Organization } = await this.#ask('organizations', 'DescribeOrganization', organization, send);
    const { Id, MasterAccountId, FeatureSet } = Organization;
    return { organizationId: Id, managementAccountId: MasterAccountId, featureSet: FeatureSet ?? null };
  }

  async trustedServices(): Promise<readonly string[]> {
    const pages = this.#pages('organizations', 'ListAWSServiceAccessForOrganization', services, (NextToken) =>
      this.#clients.organizations.send(new ListAWSServiceAccessForOrganizationCommand({ ...NextToken })),
    );
    return collect(pages, (page) => page.EnabledServicePrincipals.map((each) => each.ServicePrincipal));
  }

  async delegatedAdministrators(): Promise<readonly AccountId[]> {
    const pages = this.#pages('organizations', 'ListDelegatedAdministrators', administrators, (NextToken) => {
      const command = new ListDelegatedAdministratorsCommand({ ServicePrincipal: SERVICE_PRINCIPAL, ...NextToken });
      return this.#clients.organizations.send(command);
    });
    return collect(pages, (page) => page.DelegatedAdministrators.map(({ Id }) => Id));
  }

  async failedEnrollments(enrollment: EnrollmentId): Promise<readonly FailedEnrollment[]> {
    const found =
      enrollment === 'computeOptimizer'
        ? await collect(this.#computeOptimizerPages(), (page) => page.accountEnrollmentStatuses)
        : await collect(this.#automationPages(), (page) => page.accounts);
    return found
      .filter(({ status }) => status === 'Failed')
      .map((each) => ({ accountId: each.accountId, statusReason: each.statusReason ?? null }));
  }

  async members(atLeast: number): Promise<readonly AccountId[]> {
    const [{ accountId: own }, { managementAccountId }] = await Promise.all([this.caller(), this.organization()]);
    const found: AccountId[] = [];
    const pages = this.#pages('organizations', 'ListAccounts', accounts, (NextToken) =>
      this.#clients.organizations.send(new ListOrganizationAccountsCommand({ ...NextToken })),
    );
    for await (const page of pages) {
      for (const { Id, State, Status } of page.Accounts) {
        if ((State ?? Status) === 'ACTIVE' && Id !== own && Id !== managementAccountId) found.push(Id);
      }
      if (found.length >= atLeast) break;
    }
    return found;
  }

  async rootId(): Promise<string> {
    const send = () => this.#clients.organizations.send(new ListRootsCommand({}));
    const { Roots } = await this.#ask('organizations', 'ListRoots', roots, send);
    return Roots[0]?.Id ?? '';
  }

  #computeOptimizerPages() {
    const operation = 'GetEnrollmentStatusesForOrganization';
    const filters = [{ name: 'Status' as const, values: ['Failed'] }];
    return this.#pages('compute-optimizer', operation, statuses, ({ NextToken }) => {
      const input = { filters, maxResults: 100, ...(NextToken !== undefined && { nextToken: NextToken }) };
      return this.#clients.computeOptimizer.send(new GetEnrollmentStatusesForOrganizationCommand(input));
    });
  }

  #automationPages() {
    return this.#pages('aco-automation', 'ListAccounts', automation, ({ NextToken }) => {
      const input = { maxResults: 1000, ...(NextToken !== undefined && { nextToken: NextToken }) };
      return this.#clients.automation.send(new ListAccountsCommand(input));
    });
  }

  async *#pages<Page extends { NextToken?: string | null | undefined } | { nextToken?: string | null | undefined }>(
    service: string,
    operation: string,
    schema: z.ZodType<Page>,
    send: (token: { NextToken?: string }) => Promise<unknown>,
  ): AsyncGenerator<Page> {
    const bounds = new PageBounds({ itemsPerPage: MAX_PAGE, maxItems: SLACK * this.#maxAccounts });
    let total = 0;
    for (let token: string | undefined; ; ) {
      const asked = token;
      const page = await this.#ask(service, operation, schema, () =>
        send(asked === undefined ? {} : { NextToken: asked }),
      );
      yield page;
      token = ('NextToken' in page ? page.NextToken : 'nextToken' in page ? page.nextToken : null) || undefined;
      const items = itemsIn(page);
      total += items;
      const why = bounds.broken({ items, total, token: token ?? null });
      if (why !== null) {
        const { accountId: own } = await this.caller();
        throw endlessListing({ service, operation, accountId: own }, why);
      }
      if (token === undefined) return;
    }
  }

  async #ask<Answer>(
    service: CallKey['service'],
    operation: string,
    schema: z.ZodType<Answer>,
    send: () => Promise<unknown>,
  ): Promise<Answer> {
    const key = { service, operation };
    const own = await this.caller();
    const session = await this.#calls.ownSession(key, own.accountId);
    return checked(schema, await this.#calls.make({ key, session, send }), { key, session });
  }
}

/** The items of a page, whose one list has a different name in each operation. */
function itemsIn(page: object): number {
  const list: unknown = Object.values(page).find((value) => Array.isArray(value));
  return Array.isArray(list) ? list.length : 0;
}

async function collect<Page, Item>(
  pages: AsyncIterable<Page>,
  items: (page: Page) => readonly Item[],
): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...items(page));
  return found;
}
