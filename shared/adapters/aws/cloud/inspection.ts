import {
  DescribeOrganizationCommand,
  ListAccountsCommand,
  ListAWSServiceAccessForOrganizationCommand,
  ListDelegatedAdministratorsCommand,
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
import { type Calls, createCalls, type Session } from './call-pipeline.ts';
import { type OwnIdentity, readOwnIdentity } from './caller.ts';
import { type Clients, createClients } from './clients.ts';
import { endlessListing } from './cloud-errors.ts';
import { DRIVERS } from './kinds/index.ts';
import { type ListPage, MAX_PAGE, paged, toListPage } from './organization-reader.ts';
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
const services = z
  .object({ ...paged, EnabledServicePrincipals: z.array(z.object({ ServicePrincipal: z.string() })) })
  .transform((page) => toListPage(page.EnabledServicePrincipals, page.NextToken));
const administrators = z
  .object({ ...paged, DelegatedAdministrators: z.array(z.object({ Id: accountId })) })
  .transform((page) => toListPage(page.DelegatedAdministrators, page.NextToken));
const accounts = z
  .object({ ...paged, Accounts: z.array(z.object({ Id: accountId, State: optional, Status: optional })) })
  .transform((page) => toListPage(page.Accounts, page.NextToken));
const roots = z.object({ Roots: z.array(z.object({ Id: z.string().min(1) })).min(1) });

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
    const { Organization } = await this.#ask('DescribeOrganization', organization, send);
    const { Id, MasterAccountId, FeatureSet } = Organization;
    return { organizationId: Id, managementAccountId: MasterAccountId, featureSet: FeatureSet ?? null };
  }

  async trustedServices(): Promise<readonly string[]> {
    const found: string[] = [];
    const pages = this.#pages('ListAWSServiceAccessForOrganization', services, (token) =>
      this.#clients.organizations.send(new ListAWSServiceAccessForOrganizationCommand(token)),
    );
    for await (const page of pages) found.push(...page.map((each) => each.ServicePrincipal));
    return found;
  }

  async delegatedAdministrators(): Promise<readonly AccountId[]> {
    const found: AccountId[] = [];
    const pages = this.#pages('ListDelegatedAdministrators', administrators, (token) => {
      const command = new ListDelegatedAdministratorsCommand({ ServicePrincipal: SERVICE_PRINCIPAL, ...token });
      return this.#clients.organizations.send(command);
    });
    for await (const page of pages) found.push(...page.map(({ Id }) => Id));
    return found;
  }

  async failedEnrollments(kind: EnrollmentId): Promise<readonly FailedEnrollment[]> {
    const driver = DRIVERS[kind];
    const found: FailedEnrollment[] = [];
    const pages = this.#listing(driver.list(null).key, async (token) => {
      const { key, send } = driver.list(token, true);
      const session = await this.#session(key);
      const answer = await this.#calls.make({ key, session, send: () => send(this.#clients) });
      const { items, leftOut, nextToken } = driver.parsePage(answer, { key, session });
      return { items: [...items, ...leftOut], next: nextToken };
    });
    for await (const page of pages) {
      for (const item of page) {
        if (!('observed' in item) || item.observed.status !== 'Failed') continue;
        found.push({ accountId: item.accountId, statusReason: item.observed.statusReason });
      }
    }
    return found;
  }

  async members(atLeast: number): Promise<readonly AccountId[]> {
    const [{ accountId: own }, { managementAccountId }] = await Promise.all([this.caller(), this.organization()]);
    const found: AccountId[] = [];
    const pages = this.#pages('ListAccounts', accounts, (token) =>
      this.#clients.organizations.send(new ListAccountsCommand(token)),
    );
    for await (const page of pages) {
      for (const { Id, State, Status } of page) {
        if ((State ?? Status) === 'ACTIVE' && Id !== own && Id !== managementAccountId) found.push(Id);
      }
      if (found.length >= atLeast) break;
    }
    return found;
  }

  async rootId(): Promise<string> {
    const send = () => this.#clients.organizations.send(new ListRootsCommand({}));
    const { Roots } = await this.#ask('ListRoots', roots, send);
    return Roots[0]?.Id ?? '';
  }

  /** The pages of a listing of Organizations. */
  #pages<Item>(
    operation: string,
    schema: z.ZodType<ListPage<Item>>,
    send: (token: { readonly NextToken?: string }) => Promise<unknown>,
  ): AsyncGenerator<readonly Item[]> {
    return this.#listing({ service: 'organizations', operation }, (token) =>
      this.#ask(operation, schema, () => send(token === null ? {} : { NextToken: token })),
    );
  }

  async *#listing<Item>(
    key: CallKey,
    fetch: (token: string | null) => Promise<ListPage<Item>>,
  ): AsyncGenerator<readonly Item[]> {
    const bounds = new PageBounds({ itemsPerPage: MAX_PAGE, maxItems: SLACK * this.#maxAccounts });
    let total = 0;
    for (let token: string | null = null; ; ) {
      const { items, next }: ListPage<Item> = await fetch(token);
      yield items;
      total += items.length;
      const why = bounds.broken({ items: items.length, total, token: next });
      if (why !== null) throw endlessListing({ ...key, accountId: (await this.caller()).accountId }, why);
      if (next === null) return;
      token = next;
    }
  }

  async #ask<Answer>(operation: string, schema: z.ZodType<Answer>, send: () => Promise<unknown>): Promise<Answer> {
    const key = { service: 'organizations', operation };
    const session = await this.#session(key);
    return checked(schema, await this.#calls.make({ key, session, send }), { key, session });
  }

  async #session(key: CallKey): Promise<Session> {
    return this.#calls.ownSession(key, (await this.caller()).accountId);
  }
}
