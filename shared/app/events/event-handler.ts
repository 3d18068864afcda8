import { canLeave, emptyRecord } from '../../domain/account/record.ts';
import { accountEntry, left } from '../../domain/account/transition.ts';
import { type ParsedEvent, parseCloudTrailEvent } from '../../domain/cloudtrail-event.ts';
import { actionOf } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, Stores } from '../context.ts';
import { commandContext } from '../ledger/organization-entry.ts';
import { writeEntries } from '../ledger/write-entries.ts';
import { requestEarlyScan } from '../schedule/scan-requests.ts';
import { scanNow } from '../schedule/scan-schedule.ts';
import { recordRefreshed } from '../survey/account-overrides.ts';
import { enqueueAccounts } from '../work-queue/enqueue-event-accounts.ts';
import { boundedBy, isOurConfiguration, isOurs, noteChange } from './change-attribution.ts';
import { acquireLookups, acquireReads, SPACING_MS } from './event-throttle.ts';

export interface ReactDeps extends Stores, Pick<Deps, 'clock' | 'newId' | 'logger' | 'actor'> {
  /** Reads one account from AWS Organizations; `null`: the organization does not have it. @throws CloudError */
  readonly readAccount: (accountId: AccountId, organization: OrganizationIds) => Promise<OrganizationAccount | null>;
}

interface OrganizationIds {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
}

/** The result of handling one event. */
export interface Reaction {
  /** Accounts that are queued for reconciliation. */
  readonly queued: readonly AccountId[];
  /** Accounts that are queued with a delay, because they were queued a few seconds ago. */
  readonly later: readonly AccountId[];
  /** Accounts that the organization does not have. */
  readonly unknown: readonly AccountId[];
  /** Accounts that were read again from AWS Organizations. */
  readonly refreshed: readonly AccountId[];
  /** Whether a scan was requested, because the event concerns too many accounts. */
  readonly scan: boolean;
  /** Whether Rollcall itself made the call. */
  readonly ours: boolean;
  /** Why the event does not matter. */
  readonly ignored: string | null;
  /** Why the event is not trusted. */
  readonly rejected: string | null;
}

const NOTHING: Reaction = {
  queued: [],
  later: [],
  unknown: [],
  refreshed: [],
  scan: false,
  ours: false,
  ignored: null,
  rejected: null,
};

/** How many accounts of a batch call are searched for its request id. If Rollcall made the call, every account's log has it. */
const OWN_SAMPLE = 3;
const NOTE_CONCURRENCY = 8;
const CROWDED = 'too many events to reconcile accounts individually';
/** How long AWS may take to apply a configuration on an OU or the root, ms [API_automation_PutOrganizationEnrollmentConfiguration]. */
const CONFIGURATION_APPLIED_MS = 5 * 60_000;

/**
 * Handles a CloudTrail event: stores the actor, reads changed accounts from AWS Organizations, and enqueues the accounts.
 * An invalid event is logged and not retried.
 * @throws the errors of the stores; the event should then be delivered again
 */
export async function react(deps: ReactDeps, policyHash: () => Promise<string>, raw: unknown): Promise<Reaction> {
  const meta = await deps.snapshots.meta();
  const event = parseCloudTrailEvent(raw, meta?.organizationId ?? null);
  if (event.kind === 'rejected') return reject(deps, event.why);
  if (event.kind === 'ignored') {
    deps.logger.info('an event was ignored', { why: event.why });
    return { ...NOTHING, ignored: event.why };
  }
  if (meta === null) return { ...NOTHING, ignored: 'no scan has completed yet; the first scan reads every account' };
  const reactor = new Reactor(deps, policyHash, meta);
  return event.kind === 'enrollment' ? reactor.enrollmentChanged(event) : reactor.organizationChanged(event);
}

function reject({ logger }: ReactDeps, why: string): Reaction {
  logger.warn('an event was rejected', { why });
  return { ...NOTHING, rejected: why };
}

type Of<Kind extends ParsedEvent['kind']> = Extract<ParsedEvent, { kind: Kind }>;

interface WantedScan {
  readonly reason: string;
  /** How long AWS may take to apply the reported change, ms; another scan follows then. Default 0: the change is in effect. */
  readonly settlesMs?: number;
}

class Reactor {
  readonly #deps: ReactDeps;
  readonly #policyHash: () => Promise<string>;
  readonly #organization: OrganizationIds;

  constructor(deps: ReactDeps, policyHash: () => Promise<string>, organization: OrganizationIds) {
    this.#deps = deps;
    this.#policyHash = policyHash;
    this.#organization = organization;
  }

  async enrollmentChanged(event: Of<'enrollment'>): Promise<Reaction> {
    const { accountIds, enrollment, wide, from, unclear } = event;
    const by = boundedBy(event.by, this.#deps.clock.now());
    if (!(await this.#isMember(from))) return this.#fromUnknownAccount(from, event.accountIds);
    const isConfiguration = actionOf(enrollment, by.operation)?.scopes.includes('configuration') === true;
    const ours =
      (await isOurs(this.#deps, accountIds.slice(0, OWN_SAMPLE), by.requestId)) ||
      (isConfiguration && (await isOurConfiguration(this.#deps, by.requestId)));
    if (ours) {
      this.#deps.logger.debug('the event is about a call by Rollcall', { requestId: by.requestId });
      return { ...NOTHING, ours: true };
    }
    const known: AccountId[] = [];
    const unknown: AccountId[] = [];
    for (const id of accountIds) ((await this.#deps.snapshots.get(id)) === null ? unknown : known).push(id);
    const noted = wide ? ['organization' as const, ...known] : known;
    await mapParallel(noted, NOTE_CONCURRENCY, (each) => noteChange(this.#deps, each, enrollment, by));
    const wideReason = wide ? `${by.operation} affects many accounts` : null;
    const reason = wideReason ?? unclear ?? null;
    const settlesMs = isConfiguration ? CONFIGURATION_APPLIED_MS : 0;
    const queued = await this.#enqueue(known, reason === null ? null : { reason, settlesMs }, false);
    if (unknown.length === 0) return queued;
    return merge(queued, await this.#refresh(unknown));
  }

  async organizationChanged({ accountIds, wide, from, event, unclear }: Of<'organization'>): Promise<Reaction> {
    if (!(await this.#isMember(from)) && !accountIds.includes(from)) return this.#fromUnknownAccount(from, accountIds);
    const reason = wide ? `${event} affects many accounts` : unclear;
    if (reason === undefined) return this.#refresh(accountIds);
    await this.#requestScan(reason, true);
    const scanned = { ...NOTHING, scan: true };
    return wide || accountIds.length === 0 ? scanned : merge(scanned, await this.#refresh(accountIds));
  }

  async #isMember(accountId: AccountId): Promise<boolean> {
    if (accountId === this.#organization.managementAccountId) return true;
    return (await this.#deps.snapshots.get(accountId)) !== null;
  }

  /** The account may be a new member, or an account outside the organization, which is trusted only about itself. */
  async #fromUnknownAccount(from: AccountId, accountIds: readonly AccountId[]): Promise<Reaction> {
    if (accountIds.length !== 1 || accountIds[0] !== from)
      return reject(this.#deps, `it comes from account ${from}, which is not in the organization`);
    return this.#refresh([from]);
  }

  /** Enqueues as many accounts as the throttle allows. Requests a scan for the others, or if `wanted` is given. */
  async #enqueue(ids: readonly AccountId[], wanted: WantedScan | null, organization: boolean): Promise<Reaction> {
    const { registers, clock, logger } = this.#deps;
    const granted = await acquireLookups(registers, ids, clock.now());
    const hash = granted.now.length + granted.later.length > 0 ? await this.#policyHash() : '';
    if (granted.now.length > 0) await enqueueAccounts(this.#deps, hash, granted.now);
    if (granted.later.length > 0) await enqueueAccounts(this.#deps, hash, granted.later, SPACING_MS);
    const crowded: WantedScan | null = granted.refused.length > 0 ? { reason: CROWDED } : null;
    const scan = wanted ?? crowded;
    if (scan !== null) await this.#requestScan(scan.reason, organization, scan.settlesMs);
    const { now: queued, later } = granted;
    if (queued.length + later.length > 0) logger.info('accounts queued', { queued, later });
    return { ...NOTHING, queued, later, scan: scan !== null };
  }

  /** Reads the accounts from AWS Organizations, updates the snapshot for the workers, and enqueues the accounts. */
  async #refresh(ids: readonly AccountId[]): Promise<Reaction> {
    const { registers, clock, snapshots, logger } = this.#deps;
    if (!(await acquireReads(registers, ids.length, clock.now()))) {
      await this.#requestScan('too many changes of the organization to read accounts individually', true);
      return { ...NOTHING, scan: true };
    }
    const read = await this.#readAccounts(ids);
    if (read instanceof CloudError) {
      // The stored account is outdated now: a worker might apply the rules of its former OU. A scan reads it again.
      logger.warn('the accounts of an event could not be read from the organization; a scan is requested', {
        message: read.message,
      });
      await this.#requestScan('the accounts of an event could not be read from the organization', true);
      return { ...NOTHING, scan: true };
    }
    const { present, gone } = read;
    const refreshed = new Map<AccountId, OrganizationAccount | null>(gone.map((id) => [id, null]));
    for (const account of present) refreshed.set(account.id, account);
    await recordRefreshed(registers, refreshed, clock.now());
    await snapshots.refresh(present);
    await snapshots.remove(gone);
    await this.#recordMembership(present, gone);
    const known = (await this.#deps.records.getMany(gone)).size;
    if (gone.length > known) logger.warn('an event names accounts that the organization does not have', { gone });
    const reaction = await this.#enqueue(
      present.map(({ id }) => id),
      null,
      true,
    );
    return { ...reaction, unknown: gone, refreshed: ids };
  }

  /** The accounts that are in the organization, and the ids of those that are not. */
  async #readAccounts(ids: readonly AccountId[]) {
    const present: OrganizationAccount[] = [];
    const gone: AccountId[] = [];
    try {
      for (const id of ids) {
        const read = await this.#deps.readAccount(id, this.#organization);
        if (read === null) gone.push(id);
        else present.push(read);
      }
      return { present, gone };
    } catch (error) {
      if (error instanceof CloudError) return error;
      throw error;
    }
  }

  /** Records accounts that joined or left. If an event is lost, the next scan writes the same entries. */
  async #recordMembership(present: readonly OrganizationAccount[], gone: readonly AccountId[]): Promise<void> {
    const records = await this.#deps.records.getMany([...present.map(({ id }) => id), ...gone]);
    const context = commandContext(this.#deps);
    const joined = present.map(({ id, name, ou, state }) => ({
      record: records.get(id) ?? emptyRecord(id),
      decide: (record: ReturnType<typeof emptyRecord>) =>
        record.present
          ? []
          : [accountEntry(context, 'AccountJoined', id, null, { detail: { account: { name, ou, state } } })],
    }));
    const departed = gone.flatMap((id) => {
      const record = records.get(id);
      if (record === undefined) return [];
      return [{ record, decide: (now: typeof record) => (canLeave(now) ? [left(context, now)] : []) }];
    });
    const items = [...joined, ...departed].filter(({ record, decide }) => decide(record).length > 0);
    if (items.length > 0) await writeEntries(this.#deps, items);
  }

  async #requestScan(reason: string, organization: boolean, settlesMs = 0): Promise<void> {
    const { registers, logger } = this.#deps;
    const last = await scanNow(registers);
    const request = { organization, reason, settlesMs };
    await requestEarlyScan(this.#deps, request, last?.value.dueAt ?? Number.NEGATIVE_INFINITY);
    logger.info('a scan is requested', { reason });
  }
}

function merge(a: Reaction, b: Reaction): Reaction {
  return {
    queued: [...a.queued, ...b.queued],
    later: [...a.later, ...b.later],
    unknown: [...a.unknown, ...b.unknown],
    refreshed: [...a.refreshed, ...b.refreshed],
    scan: a.scan || b.scan,
    ours: a.ours || b.ours,
    ignored: a.ignored ?? b.ignored,
    rejected: a.rejected ?? b.rejected,
  };
}
