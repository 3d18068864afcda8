import { DescribeOrganizationCommand, ListAccountsCommand, ListRootsCommand } from '@aws-sdk/client-organizations';
import * as z from 'zod';
import type { EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { DIRECT, type Network } from '../../../domain/network.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../domain/page-bounds.ts';
import type { CallGate, CallKey } from '../../../ports/cloud.ts';
import type { FailedEnrollment, Inspection, OrganizationFacts } from '../../../ports/inspection.ts';
import type { Logger } from '../../../ports/system.ts';
import { type Calls, createCalls } from './call-pipeline.ts';
import { type CachedIdentity, cachedIdentity, listAdministrators, type OwnIdentity } from './caller.ts';
import { type Clients, createClients } from './clients.ts';
import { endlessListing } from './cloud-errors.ts';
import { DRIVERS } from './kinds/index.ts';
import { createReader, type ListPage, MAX_PAGE, paged, type Reader, toListPage } from './organization-reader.ts';
import { accountId } from './responses.ts';
import { listTrustedServices } from './trusted-access.ts';

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

/** A listing is rejected as endless above this many times `maxAccounts`. It may contain accounts that have left, and some accounts twice. */
const SLACK = 2;

const optional = z.string().nullish();
const organization = z.object({
  Organization: z.object({ Id: z.string().min(1), MasterAccountId: accountId, FeatureSet: optional }),
});
const accounts = z
  .object({ ...paged, Accounts: z.array(z.object({ Id: accountId, State: optional, Status: optional })) })
  .transform((page) => toListPage(page.Accounts, page.NextToken));
const roots = z.object({ Roots: z.array(z.object({ Id: z.string().min(1) })).min(1) });

/** The calls of `doctor`, which change nothing. `close` aborts the calls in progress. */
export function createAwsInspection(options: AwsInspectionOptions): Inspection & { close(): void } {
  const { connectMs, requestMs } = options.timeouts;
  const clients = createClients({
    region: undefined,
    maxSockets: 16,
    connectTimeoutMs: connectMs,
    requestTimeoutMs: requestMs,
    logger: options.logger,
    network: options.network ?? DIRECT,
  });
  return new AwsInspection(clients, createCalls(clients, options.gate), options.maxAccounts ?? MAX_ACCOUNTS);
}

class AwsInspection implements Inspection {
  readonly #clients: Clients;
  readonly #calls: Calls;
  readonly #maxAccounts: number;
  readonly #own: CachedIdentity;

  constructor(clients: Clients, calls: Calls, maxAccounts: number) {
    this.#clients = clients;
    this.#calls = calls;
    this.#maxAccounts = maxAccounts;
    this.#own = cachedIdentity(clients, calls);
  }

  close(): void {
    this.#clients.close();
  }

  async region(): Promise<string> {
    await this.#calls.ensureRegion({ service: 'sts', operation: 'GetCallerIdentity' });
    return this.#clients.region();
  }

  caller(): Promise<OwnIdentity> {
    return this.#own.get();
  }

  async organization(): Promise<OrganizationFacts> {
    const reader = await this.#reader();
    const { Organization } = await reader.one('DescribeOrganization', '', organization, (client) =>
      client.send(new DescribeOrganizationCommand({})),
    );
    const { Id, MasterAccountId, FeatureSet } = Organization;
    return { organizationId: Id, managementAccountId: MasterAccountId, featureSet: FeatureSet ?? null };
  }

  async trustedServices(): Promise<readonly string[]> {
    return listTrustedServices(await this.#reader());
  }

  async delegatedAdministrators(): Promise<readonly AccountId[]> {
    return listAdministrators(await this.#reader());
  }

  async failedEnrollments(kind: EnrollmentId): Promise<readonly FailedEnrollment[]> {
    const driver = DRIVERS[kind];
    const found: FailedEnrollment[] = [];
    const pages = this.#listing(driver.list(null).key, async (token) => {
      const { key, send } = driver.list(token, true);
      const session = await this.#calls.ownSession(key, (await this.caller()).accountId);
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
    const reader = await this.#reader();
    const pages = this.#listing({ service: 'organizations', operation: 'ListAccounts' }, (token) =>
      reader.one('ListAccounts', '', accounts, (client) =>
        client.send(new ListAccountsCommand({ NextToken: token ?? undefined })),
      ),
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
    const reader = await this.#reader();
    const { Roots } = await reader.one('ListRoots', '', roots, (client) => client.send(new ListRootsCommand({})));
    return Roots[0]?.Id ?? '';
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

  async #reader(): Promise<Reader> {
    const { accountId: own } = await this.caller();
    return createReader(this.#clients, this.#calls, own, { retry: (call) => call(), maxAccounts: this.#maxAccounts });
  }
}
