import type { AccountRecord } from '../../domain/account/record.ts';
import type { AssessContext, HoldOf } from '../../domain/decision/assess.ts';
import type { Coverage } from '../../domain/decision/guardrails.ts';
import { type CompiledControls, compileControls } from '../../domain/decision/operator-controls.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, OnProgress, Settings } from '../context.ts';
import { readControls, underControls } from '../guardrails/controls.ts';
import type { Retrying } from '../support/retry.ts';
import { AssessmentPipeline } from './assessment-pipeline.ts';
import { AssessmentTable, type IsNews, type Judged, type Summary } from './assessment-table.ts';
import { contradictions, contradictionText } from './listing-contradictions.ts';
import { type Listings, managesAutomation, probe } from './observations.ts';
import { takeSnapshot } from './organization-snapshot.ts';
import { type Listing, readListing } from './paged-listing.ts';

/** All that one look at the organization gave. */
export interface Survey {
  readonly caller: Caller;
  readonly snapshot: OrganizationSnapshot;
  readonly summary: Summary;
  readonly coverage: Coverage;
  /** ACTIVE accounts for which the policy manages anything: what percentages are of. */
  readonly accountsInScope: number;
  /** Accounts whose Compute Optimizer somebody fights about with us. */
  readonly contested: number;
  /** Whether the organization trusts Compute Optimizer; `null`: AWS did not say. */
  readonly trustedAccess: boolean | null;
  /** Sentences about listings that broke off or that contradict each other. */
  readonly broken: readonly string[];
  /** Whether every account of the organization, with its Compute Optimizer enrollment, is known: both listings are complete and agree. */
  readonly complete: boolean;
  /** Those that differ from the policy; where nothing was recorded, also those of which the ledger has something to learn. */
  readonly judged: readonly Judged[];
  /** Records of accounts that the organization no longer has; none while the listings contradict each other. */
  readonly gone: readonly AccountRecord[];
  /** When it was judged, epoch ms. */
  readonly at: number;
  /** What operators had set when it began. */
  readonly controls: CompiledControls;
}

export interface SurveyOptions {
  readonly policy: CompiledPolicy;
  readonly isNews: IsNews;
  readonly onProgress: OnProgress;
  /** When the first answer was asked for, epoch ms, if that was before now: a scan goes on with what an earlier part of it was told. */
  readonly begunAt?: number;
  /** Keep the organization snapshot for others; not in a dry run, which writes nothing. */
  readonly saveSnapshot: boolean;
  /** What has to be done before anything is judged or recorded; AWS is asked for the first pages meanwhile. */
  readonly prepare?: () => Promise<void>;
  /** What holds calls up, once the organization is known; asked after `prepare`. */
  readonly holds?: (snapshot: OrganizationSnapshot) => readonly HoldOf[];
  /**
   * Takes what the ledger has to learn, some accounts at a time, while the listing goes on: recording all of it at the end would take
   * as long again, and all of it would have to be kept until then.
   */
  readonly record?: (news: readonly Judged[]) => Promise<void>;
}

export type SurveyDeps = Pick<Deps, 'cloud' | 'records' | 'snapshots' | 'registers' | 'clock' | 'logger'>;

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
  const { policy, onProgress, begunAt = deps.clock.now() } = options;
  const caller = await retrying(() => deps.cloud.identify());
  const controls = compileControls(await readControls(deps.registers));
  const needs = { usesTags: policy.usesTags || controls.usesTags };
  const snapshotOf = (maxAgeMs: number) =>
    takeSnapshot(deps, maxAgeMs, retrying, needs, options.saveSnapshot, onProgress);
  const judging = new AssessmentPipeline(deps.records, options.record ?? null);

  const background = async (): Promise<AssessmentTable> => {
    const [taken, automation] = await Promise.all([
      prepared.then(() => snapshotOf(settings.snapshotMaxAgeMs)),
      managesAutomation(policy) ? listAutomation(deps, settings, retrying, onProgress) : null,
    ]);
    const context = { ...contextOf(policy, caller, deps.clock.now(), controls), holds: options.holds?.(taken) ?? [] };
    const desk = new AssessmentTable({ policy, caller, context, isNews: options.isNews, begunAt }, taken);
    judging.begin(desk, automation);
    if (caller.role === 'management') await lookAtOurselves(desk, automation);
    return desk;
  };
  // No listing names the management account: it is read beside them, not after.
  const lookAtOurselves = async (desk: AssessmentTable, automation: Listing | null): Promise<void> => {
    await judging.judge([caller.accountId], { computeOptimizer: { seen: new Map(), brokenBy: null }, automation });
    await probeUnlisted(deps, retrying, options, desk);
  };

  const listed = readListing(
    (token) => deps.cloud.list('computeOptimizer', token),
    retrying,
    (fresh, seen) => {
      judging.add(fresh, seen);
      onProgress({ kind: 'listing', listing: 'computeOptimizer', accounts: seen.size });
    },
    settings.maxAccounts,
  );
  const prepared = options.prepare?.() ?? Promise.resolve();
  const trusting = readTrustedAccess(deps, retrying);
  const listing = listed.catch((error: unknown) => withoutTrust(error, trusting));
  const remembering = prepared.then(() => rememberedAccounts(deps));
  const everything = Promise.all([listing, background(), remembering, trusting]);
  const [enrolled, desk, remembered, trustedAccess] = await everything.catch(async (error: unknown) => {
    // What still runs must not record anything for a scan that has failed.
    judging.abandon();
    await Promise.allSettled([prepared]);
    throw error;
  });
  const listings = await judging.end(enrolled);
  if (strangersIn(listings, desk).length > 0) {
    // The listings name accounts that the snapshot lacks: the snapshot is older than the listings, or an account joined meanwhile.
    desk.lay(await snapshotOf(0));
    await judging.judge([...enrolled.seen.keys()], listings);
  }
  const missing = await contradictions(deps, retrying, desk.snapshot, strangersIn(listings, desk));
  await judging.judge(desk.unjudged, listings);
  const broken = [...brokenListings(listings), ...(missing.length > 0 ? [contradictionText(missing)] : [])];
  if (broken.length > 0) desk.forbidOptOuts();
  await probeUnlisted(deps, retrying, options, desk);
  await options.record?.(desk.takeNews(true));
  return {
    caller,
    snapshot: desk.snapshot,
    summary: desk.summary,
    coverage: desk.coverage(enrolled.seen.size, missing.length),
    accountsInScope: desk.accountsInScope,
    contested: desk.contested,
    trustedAccess,
    broken,
    complete: missing.length === 0 && listings.computeOptimizer.brokenBy === null,
    controls,
    at: deps.clock.now(),
    judged: desk.judged,
    gone: missing.length > 0 ? [] : await recordsOfGone(deps, desk, remembered),
  };
}

/** Enrolled accounts that the snapshot lacks. */
function strangersIn({ computeOptimizer, automation }: Listings, desk: AssessmentTable): readonly AccountId[] {
  const listed = new Set([...computeOptimizer.seen.keys(), ...(automation?.seen.keys() ?? [])]);
  return [...listed].filter((id) => !desk.knows(id));
}

/**
 * A listing that is refused while trusted access is off names nobody, and its accounts are read one by one: the call that brings both back
 * needs to know of every account. Any other refusal ends the scan.
 */
async function withoutTrust(error: unknown, trusting: Promise<boolean | null>): Promise<Listing> {
  const refused = error instanceof CloudError && (error.kind === 'Denied' || error.kind === 'Prerequisite');
  if (!refused || (await trusting) !== false) throw error;
  return { seen: new Map(), brokenBy: null };
}

/** Asked beside everything else; nobody's enrollment depends on the answer, so that a refusal is no more than a warning. */
async function readTrustedAccess(deps: SurveyDeps, retrying: Retrying): Promise<boolean | null> {
  try {
    return await retrying(() => deps.cloud.trustedAccess());
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    deps.logger.warn('trusted access could not be read', { code: error.details.code, message: error.message });
    return null;
  }
}

/** A context for judging at `now`. */
export function contextOf(
  policy: CompiledPolicy,
  caller: Caller,
  now: number,
  controls: CompiledControls,
): AssessContext {
  return { policy, caller, now, ...underControls(controls, now), optOutsAllowed: true };
}

async function probeUnlisted(
  deps: SurveyDeps,
  retrying: Retrying,
  { policy, onProgress }: SurveyOptions,
  desk: AssessmentTable,
): Promise<void> {
  const accounts = desk.toProbe;
  let done = 0;
  await mapParallel(accounts, policy.policy.limits.concurrency, async ({ facts, known, automation, record }) => {
    desk.judgeOne(facts, await probe(deps.cloud, retrying, facts.id, known, automation), record, true);
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

/**
 * The Automation listing. Refused or not opted in, it says nothing about single accounts, and is a listing that broke off at its
 * start: the other enrollment can still be looked after.
 */
async function listAutomation(
  deps: SurveyDeps,
  { maxAccounts }: Settings,
  retrying: Retrying,
  onProgress: OnProgress,
): Promise<Listing> {
  try {
    return await readListing(
      (token) => deps.cloud.list('automation', token),
      retrying,
      (_fresh, seen) => onProgress({ kind: 'listing', listing: 'automation', accounts: seen.size }),
      maxAccounts,
    );
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    // Not enrolled at all: nobody can be enrolled in Automation either [automation-org].
    if (error.kind === 'Prerequisite') return { seen: new Map(), brokenBy: null };
    deps.logger.warn('the Automation listing could not be read', { code: error.details.code, message: error.message });
    return { seen: new Map(), brokenBy: error };
  }
}

/** The accounts that we remember. Only their ids: the records of a large organization are larger than all else together. */
async function rememberedAccounts(deps: SurveyDeps): Promise<readonly AccountId[]> {
  const remembered: AccountId[] = [];
  for await (const page of deps.records.heads()) for (const { accountId } of page) remembered.push(accountId);
  return remembered;
}

async function recordsOfGone(
  deps: SurveyDeps,
  desk: AssessmentTable,
  remembered: readonly AccountId[],
): Promise<readonly AccountRecord[]> {
  const gone = remembered.filter((id) => !desk.knows(id));
  return gone.length === 0 ? [] : [...(await deps.records.getMany(gone)).values()].filter((record) => record.present);
}
