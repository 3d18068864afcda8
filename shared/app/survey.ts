import type { AssessContext } from '../domain/assess.ts';
import type { Coverage } from '../domain/guardrails.ts';
import type { CompiledPolicy } from '../domain/policy/index.ts';
import type { AccountRecord } from '../domain/record.ts';
import type { AccountId, Caller } from '../domain/types.ts';
import type { OrganizationSnapshot } from '../ports/cloud.ts';
import { CloudError } from '../ports/cloud.ts';
import type { Deps, OnProgress, Settings } from './deps.ts';
import { Desk, type IsNews, type Judged, type Summary } from './desk.ts';
import { inParallel } from './in-parallel.ts';
import { type Listing, readListing } from './listing.ts';
import { type Listings, managesAutomation, probe } from './observe.ts';
import type { Retrying } from './retrying.ts';

/** All that one look at the organization gave. Nothing was recorded. */
export interface Survey {
  readonly caller: Caller;
  readonly snapshot: OrganizationSnapshot;
  readonly summary: Summary;
  readonly coverage: Coverage;
  /** ACTIVE accounts for which the policy manages anything: what percentages are of. */
  readonly accountsInScope: number;
  /** Sentences about listings that broke off. */
  readonly broken: readonly string[];
  readonly judged: readonly Judged[];
  /** Records of accounts that the organization no longer has. */
  readonly gone: readonly AccountRecord[];
}

export interface SurveyOptions {
  readonly policy: CompiledPolicy;
  readonly isNews: IsNews;
  readonly onProgress: OnProgress;
  /** Keep the organization snapshot for others; not in a dry run, which writes nothing. */
  readonly saveSnapshot: boolean;
}

export type SurveyDeps = Pick<Deps, 'cloud' | 'records' | 'facts' | 'clock' | 'logger'>;

/**
 * Looks at the whole organization: snapshot, records and both listings side by side; each page of enrollments is diffed while the
 * next one is fetched.
 * @throws CloudError if the organization or a listing's first page cannot be read, or our credentials are refused.
 */
export async function survey(
  deps: SurveyDeps,
  settings: Settings,
  retrying: Retrying,
  options: SurveyOptions,
): Promise<Survey> {
  const { policy, onProgress } = options;
  const caller = await retrying(() => deps.cloud.identify());
  const takeSnapshot = (maxAgeMs: number) => snapshot(deps, maxAgeMs, retrying, options);
  let desk: Desk | null = null;
  let automation: Listing | null = null;
  let waiting: AccountId[] = [];

  const background = async (): Promise<Desk> => {
    const [taken, listed, records] = await Promise.all([
      takeSnapshot(settings.snapshotMaxAgeMs),
      managesAutomation(policy) ? listAutomation(deps, retrying, onProgress) : null,
      loadRecords(deps),
    ]);
    automation = listed;
    const context = contextOf(policy, caller, deps.clock.now());
    desk = new Desk({ policy, caller, context, isNews: options.isNews, records }, taken);
    return desk;
  };

  const [made, enrolled] = await Promise.all([
    background(),
    readListing(
      (token) => deps.cloud.listEnrollmentStatuses(token),
      retrying,
      (fresh, seen) => {
        waiting = waiting.concat(fresh.map(({ accountId }) => accountId));
        if (desk !== null) {
          desk.judge(waiting, { computeOptimizer: { seen, brokenBy: null }, automation });
          waiting = [];
        }
        onProgress({ kind: 'listing', listing: 'computeOptimizer', accounts: seen.size });
      },
    ),
  ]);
  const listings: Listings = { computeOptimizer: enrolled, automation };
  made.judge(waiting, listings);
  await replaceOutdatedSnapshot(made, listings, takeSnapshot);
  return finish(deps, retrying, options, made, caller, listings);
}

/** A context for judging at `now`. Suspensions are set by operators; none are known to a bare look at the organization. */
export function contextOf(policy: CompiledPolicy, caller: Caller, now: number): AssessContext {
  return { policy, caller, now, suspensionOf: () => null, optOutsAllowed: true };
}

/** The listing names accounts that a cached snapshot does not have: someone joined, so the cache is too old. */
async function replaceOutdatedSnapshot(
  desk: Desk,
  listings: Listings,
  takeSnapshot: (maxAgeMs: number) => Promise<OrganizationSnapshot>,
): Promise<void> {
  const ids = [...listings.computeOptimizer.seen.keys()];
  if (ids.every((id) => desk.knows(id))) return;
  desk.lay(await takeSnapshot(0));
  desk.judge(ids, listings);
}

async function finish(
  deps: SurveyDeps,
  retrying: Retrying,
  options: SurveyOptions,
  desk: Desk,
  caller: Caller,
  listings: Listings,
): Promise<Survey> {
  desk.judgeRest(listings);
  const broken = brokenListings(listings);
  if (broken.length > 0) desk.forbidOptOuts();
  await probeUnlisted(deps, retrying, options, desk);
  return {
    caller,
    snapshot: desk.snapshot,
    summary: desk.summary,
    coverage: desk.coverage(listings.computeOptimizer.seen.size),
    accountsInScope: desk.accountsInScope,
    broken,
    judged: desk.judged,
    gone: desk.gone,
  };
}

async function probeUnlisted(
  deps: SurveyDeps,
  retrying: Retrying,
  { policy, onProgress }: SurveyOptions,
  desk: Desk,
): Promise<void> {
  const accounts = desk.toProbe;
  let done = 0;
  await inParallel(accounts, policy.policy.limits.concurrency, async ({ facts, known, automation }) => {
    desk.judgeOne(facts, await probe(deps.cloud, retrying, facts.id, known, automation), true);
    done += 1;
    onProgress({ kind: 'probing', done, total: accounts.length });
  });
}

function brokenListings({ computeOptimizer, automation }: Listings): string[] {
  const named: readonly [string, Listing | null][] = [
    ['Compute Optimizer', computeOptimizer],
    ['Automation', automation],
  ];
  return named.flatMap(([name, listing]) =>
    listing?.brokenBy
      ? [`the ${name} listing broke off after ${listing.seen.size} accounts: ${listing.brokenBy.message}`]
      : [],
  );
}

async function snapshot(
  deps: SurveyDeps,
  maxAgeMs: number,
  retrying: Retrying,
  { policy, onProgress, saveSnapshot }: SurveyOptions,
): Promise<OrganizationSnapshot> {
  const meta = await deps.facts.meta();
  const fresh = meta !== null && deps.clock.now() - meta.takenAt < maxAgeMs && (meta.tags || !policy.usesTags);
  const cached = fresh ? await deps.facts.load() : null;
  if (cached !== null) {
    onProgress({ kind: 'organization', accounts: cached.accounts.length, done: true });
    return cached;
  }
  const taken = await readWhole(() =>
    deps.cloud.readOrganization({
      tags: policy.usesTags,
      retry: retrying,
      onProgress: (accounts) => onProgress({ kind: 'organization', accounts, done: false }),
    }),
  );
  onProgress({ kind: 'organization', accounts: taken.accounts.length, done: true });
  if (saveSnapshot) await deps.facts.save(taken);
  return taken;
}

/** How often the organization is read from its beginning when a page token fails in the middle. */
const WHOLE_READINGS = 3;

/** A reading that breaks off is not used; it is begun again, because a token that expired is no reason to give up the scan. */
async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let left = WHOLE_READINGS - 1; ; left -= 1) {
    try {
      return await read();
    } catch (error) {
      if (left === 0 || !(error instanceof CloudError) || error.kind !== 'Invalid') throw error;
    }
  }
}

/**
 * The Automation listing. Refused or not opted in, it says nothing about single accounts, and is a listing that broke off at its
 * start: the other enrollment can still be looked after.
 */
async function listAutomation(deps: SurveyDeps, retrying: Retrying, onProgress: OnProgress): Promise<Listing> {
  try {
    return await readListing(
      (token) => deps.cloud.listAutomationAccounts(token),
      retrying,
      (_fresh, seen) => onProgress({ kind: 'listing', listing: 'automation', accounts: seen.size }),
    );
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    // Not enrolled at all: nobody can be enrolled in Automation either [automation-org].
    if (error.kind === 'Prerequisite') return { seen: new Map(), brokenBy: null };
    deps.logger.warn('the Automation listing could not be read', { code: error.facts.code, message: error.message });
    return { seen: new Map(), brokenBy: error };
  }
}

async function loadRecords(deps: SurveyDeps): Promise<Map<AccountId, AccountRecord>> {
  const records = new Map<AccountId, AccountRecord>();
  for await (const page of deps.records.all()) {
    for (const record of page) records.set(record.accountId, record);
  }
  return records;
}
