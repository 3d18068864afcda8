import { emptyRecord } from '../../domain/account/record.ts';
import { accountEntry, left } from '../../domain/account/transition.ts';
import { type ParsedEvent, parseCloudTrailEvent } from '../../domain/cloudtrail-event.ts';
import type { AccountId } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { OrganizationAccount } from '../../domain/policy/index.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, Stores } from '../context.ts';
import { LedgerWriter } from '../ledger/ledger-writer.ts';
import { commandContext } from '../ledger/organization-entry.ts';
import { requestEarlyScan } from '../schedule/scan-requests.ts';
import { scanNow } from '../schedule/scan-schedule.ts';
import { recordRefreshed } from '../survey/account-overrides.ts';
import { enqueueAccounts } from '../work-queue/enqueue-accounts.ts';
import { boundedBy, isOurs, noteChange } from './change-attribution.ts';
import { acquireLookups, acquireReads, SPACING_MS } from './event-throttle.ts';

export interface ReactDeps extends Stores, Pick<Deps, 'clock' | 'newId' | 'logger' | 'actor'> {
  /**
   * One account as the organization has it now; `null`: it does not have it. Asked only where an event changes what we know of the
   * organization. @throws CloudError
   */
  readonly readAccount: (accountId: AccountId, organization: OrganizationIds) => Promise<OrganizationAccount | null>;
}

interface OrganizationIds {
  readonly organizationId: string;
  readonly managementAccountId: AccountId;
}

/** What became of one event. Every list is bounded. */
export interface Reaction {
  /** Accounts whose keys are on the queue now. */
  readonly queued: readonly AccountId[];
  /** Accounts whose keys come a few seconds later, because they were looked at just now. */
  readonly later: readonly AccountId[];
  /** Accounts that the organization does not have. */
  readonly unknown: readonly AccountId[];
  /** Accounts of which the organization was asked anew. */
  readonly refreshed: readonly AccountId[];
  /** A scan was asked for: too much to be looked at singly. */
  readonly scan: boolean;
  readonly ours: boolean;
  /** Why the event is not believed, or is none of our business. */
  readonly ignored: string | null;
  readonly rejected: string | null;
}

const NOTHING: Reaction = {
  ...{ queued: [], later: [], unknown: [], refreshed: [], scan: false, ours: false, ignored: null, rejected: null },
};

/** Accounts of a batch in whose chains our own call is looked for: the request id is in all of them, or in none. */
const OWN_SAMPLE = 3;
const NOTES_AT_ONCE = 8;

/**
 * Reacts to an event of CloudTrail's: remembers who called, asks the organization anew where it has changed, and queues the accounts for
 * a look. Nothing that an event says is believed but where to look and who called; workers read the rest live. What is no such event, or
 * is about somebody else's accounts, is logged and done with: repeating it would change nothing.
 * @throws what the stores throw; the same event may then come again.
 */
export async function react(deps: ReactDeps, policyHash: () => Promise<string>, raw: unknown): Promise<Reaction> {
  const meta = await deps.snapshots.meta();
  const heard = parseCloudTrailEvent(raw, meta?.organizationId ?? null);
  if (heard.kind === 'rejected') return reject(deps, heard.why);
  if (heard.kind === 'ignored') {
    deps.logger.info('an event that changes nothing for us', { why: heard.why });
    return { ...NOTHING, ignored: heard.why };
  }
  if (meta === null) return { ...NOTHING, ignored: 'there was no scan yet; the first one sees everything' };
  const reactor = new Reactor(deps, policyHash, meta);
  return heard.kind === 'enrollment' ? reactor.enrollmentChanged(heard) : reactor.organizationChanged(heard);
}

function reject({ logger }: ReactDeps, why: string): Reaction {
  logger.warn('an event was rejected', { why });
  return { ...NOTHING, rejected: why };
}

type Of<Kind extends ParsedEvent['kind']> = Extract<ParsedEvent, { kind: Kind }>;

class Reactor {
  readonly #deps: ReactDeps;
  readonly #policyHash: () => Promise<string>;
  readonly #organization: OrganizationIds;

  constructor(deps: ReactDeps, policyHash: () => Promise<string>, organization: OrganizationIds) {
    this.#deps = deps;
    this.#policyHash = policyHash;
    this.#organization = organization;
  }

  async enrollmentChanged(heard: Of<'enrollment'>): Promise<Reaction> {
    const { accountIds, enrollment, wide, from, unclear } = heard;
    const by = boundedBy(heard.by, this.#deps.clock.now());
    if (!(await this.#isMember(from))) return this.#stranger(from, heard.accountIds);
    if (await isOurs(this.#deps, accountIds.slice(0, OWN_SAMPLE), by.requestId)) {
      this.#deps.logger.debug('the event is about our own call', { requestId: by.requestId });
      return { ...NOTHING, ours: true };
    }
    const known: AccountId[] = [];
    const strangers: AccountId[] = [];
    for (const id of accountIds) ((await this.#deps.snapshots.get(id)) === null ? strangers : known).push(id);
    const noted = wide ? ['organization' as const, ...known] : known;
    await mapParallel(noted, NOTES_AT_ONCE, (each) => noteChange(this.#deps, each, enrollment, by));
    const everybody = wide ? `${by.operation} for the whole organization` : null;
    const looked = await this.#look(known, everybody ?? unclear ?? null, false);
    if (strangers.length === 0) return looked;
    const asked = await this.#refresh(strangers);
    return merge(looked, asked);
  }

  async organizationChanged({ accountIds, wide, from, event, unclear }: Of<'organization'>): Promise<Reaction> {
    if (!(await this.#isMember(from)) && !accountIds.includes(from)) return this.#stranger(from, accountIds);
    const reason = wide ? `${event} affects many accounts` : unclear;
    if (reason === undefined) return this.#refresh(accountIds);
    await this.#wish(reason, true);
    const asked = { ...NOTHING, scan: true };
    return wide || accountIds.length === 0 ? asked : merge(asked, await this.#refresh(accountIds));
  }

  async #isMember(accountId: AccountId): Promise<boolean> {
    if (accountId === this.#organization.managementAccountId) return true;
    return (await this.#deps.snapshots.get(accountId)) !== null;
  }

  /** Somebody whom no scan has seen: either new here, which the organization can tell, or none of ours. */
  async #stranger(from: AccountId, accountIds: readonly AccountId[]): Promise<Reaction> {
    // Only of itself: an account that is not ours has nothing to say about others.
    if (accountIds.length !== 1 || accountIds[0] !== from)
      return reject(this.#deps, `it comes from account ${from}, which is not in our organization`);
    return this.#refresh([from]);
  }

  /** Queues accounts, as many as may be looked at singly; for the rest, or for all, a scan. */
  async #look(ids: readonly AccountId[], wide: string | null, organization: boolean): Promise<Reaction> {
    const { registers, clock, logger } = this.#deps;
    const granted = await acquireLookups(registers, ids, clock.now());
    const hash = granted.now.length + granted.later.length > 0 ? await this.#policyHash() : '';
    if (granted.now.length > 0) await enqueueAccounts(this.#deps, hash, granted.now);
    if (granted.later.length > 0) await enqueueAccounts(this.#deps, hash, granted.later, SPACING_MS);
    const reason = wide ?? (granted.refused.length > 0 ? 'more events than can be looked at singly' : null);
    if (reason !== null) await this.#wish(reason, organization);
    const { now: queued, later } = granted;
    if (queued.length + later.length > 0) logger.info('accounts queued for a look', { queued, later });
    return { ...NOTHING, queued, later, scan: reason !== null };
  }

  /** Asks the organization what it has now, keeps it for the workers, and has the accounts looked at by it. */
  async #refresh(ids: readonly AccountId[]): Promise<Reaction> {
    const { registers, clock, snapshots, logger } = this.#deps;
    if (!(await acquireReads(registers, ids.length, clock.now()))) {
      await this.#wish('more changes of the organization than can be read singly', true);
      return { ...NOTHING, scan: true };
    }
    const present: OrganizationAccount[] = [];
    const gone: AccountId[] = [];
    try {
      for (const id of ids) {
        const read = await this.#deps.readAccount(id, this.#organization);
        if (read === null) gone.push(id);
        else present.push(read);
      }
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      // By what was known before, a worker could do to the account what is meant for another OU: the scan reads all of it anew.
      logger.warn('the organization could not be asked about an event; a scan is asked for', {
        message: error.message,
      });
      await this.#wish('the organization could not be asked about an event', true);
      return { ...NOTHING, scan: true };
    }
    await snapshots.refresh(present);
    await snapshots.remove(gone);
    await recordRefreshed(registers, ids, clock.now());
    await this.#recordMembership(present, gone);
    const known = (await this.#deps.records.getMany(gone)).size;
    if (gone.length > known) logger.warn('an event names accounts that the organization does not have', { gone });
    const looked = await this.#look(
      present.map(({ id }) => id),
      null,
      true,
    );
    return { ...looked, unknown: gone, refreshed: ids };
  }

  /** Who came, and who went. Events are best effort: a scan that finds them later writes the same. */
  async #recordMembership(present: readonly OrganizationAccount[], gone: readonly AccountId[]): Promise<void> {
    const records = await this.#deps.records.getMany([...present.map(({ id }) => id), ...gone]);
    const context = commandContext(this.#deps);
    const came = present.map(({ id, name, ou, state }) => ({
      record: records.get(id) ?? emptyRecord(id),
      decide: (record: ReturnType<typeof emptyRecord>) =>
        record.present
          ? []
          : [accountEntry(context, 'AccountJoined', id, null, { detail: { account: { name, ou, state } } })],
    }));
    const went = gone.flatMap((id) => {
      const record = records.get(id);
      if (record === undefined) return [];
      return [{ record, decide: (now: typeof record) => (now.present ? [left(context, now)] : []) }];
    });
    const items = [...came, ...went].filter(({ record, decide }) => decide(record).length > 0);
    if (items.length > 0) await new LedgerWriter(this.#deps).writeMany(items);
  }

  async #wish(reason: string, organization: boolean): Promise<void> {
    const { registers, logger } = this.#deps;
    const last = await scanNow(registers);
    await requestEarlyScan(this.#deps, { organization, reason }, last?.value.dueAt ?? Number.NEGATIVE_INFINITY);
    logger.info('a scan is asked for', { reason });
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
