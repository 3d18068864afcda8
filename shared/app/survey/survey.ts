import type { AccountRecord } from '../../domain/account/record.ts';
import type { AssessContext, HoldOf } from '../../domain/decision/assess-context.ts';
import type { Coverage } from '../../domain/decision/guardrails.ts';
import { type CompiledControls, compileControls } from '../../domain/decision/operator-controls.ts';
import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  isAvailable,
  KINDS,
  kindOf,
} from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import { type CompiledPolicy, manages } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import { CloudError } from '../../ports/cloud.ts';
import type { Deps, OnProgress, Settings } from '../context.ts';
import { readControls, underControls } from '../guardrails/controls.ts';
import { ownConfigurations } from '../guardrails/own-configurations.ts';
import type { Retrying } from '../support/retry.ts';
import { AssessmentPipeline, withLeading } from './assessment-pipeline.ts';
import {
  type AssessedAccount,
  AssessmentTable,
  type AssociableAccount,
  managesConfigurations,
  type NeedsRecording,
  type Summary,
} from './assessment-table.ts';
import { contradictions, contradictionText } from './listing-contradictions.ts';
import { LEADING_KIND, type Listings, probe } from './observations.ts';
import { takeSnapshot } from './organization-snapshot.ts';
import { type Listing, readListing } from './paged-listing.ts';
import { readConfigurations, type StoredConfigurations } from './stored-configurations.ts';

/** The result of reading and assessing the whole organization once. */
export interface Survey {
  readonly caller: Caller;
  readonly snapshot: OrganizationSnapshot;
  readonly summary: Summary;
  readonly coverage: Coverage;
  /** Coverage by one kind and its prerequisites alone. */
  readonly coverageByKind: Readonly<Record<EnrollmentId, Coverage>>;
  /** ACTIVE accounts for which the policy manages anything: the base of all percentages. */
  readonly accountsInScope: number;
  /** Numbers of accounts whose enrollment is contested. */
  readonly contested: Readonly<Record<EnrollmentId, number>>;
  /** Whether the organization trusts Compute Optimizer; `null`: AWS did not say. */
  readonly trustedAccess: boolean | null;
  /** Problems in sentences: listings that ended early or contradict each other. */
  readonly broken: readonly string[];
  /** Whether the account listing, the leading listing and the listing of this kind are complete and agree. */
  readonly complete: Readonly<Record<EnrollmentId, boolean>>;
  /** Accounts that differ from the policy; without the option `record`, also accounts that need an entry in the audit log. */
  readonly assessed: readonly AssessedAccount[];
  /** Every account with its state of Automation; empty unless the policy manages organization enrollment configurations. */
  readonly associable: readonly AssociableAccount[];
  /** `null`: not read, because the policy does not manage them. */
  readonly configurations: StoredConfigurations | null;
  /** Records of accounts that have left the organization; empty if the listings contradict each other. */
  readonly gone: readonly AccountRecord[];
  /** When the survey ended, epoch ms. */
  readonly at: number;
  /** The operator controls when the survey began. */
  readonly controls: CompiledControls;
}

export interface SurveyOptions {
  readonly policy: CompiledPolicy;
  readonly needsRecording: NeedsRecording;
  readonly onProgress: OnProgress;
  /** Time of the first request, epoch ms, if an earlier part of the scan made it; its answers are reused. Default: now. */
  readonly begunAt?: number;
  /** Stores the organization snapshot. A dry run stores nothing. */
  readonly saveSnapshot: boolean;
  /** Runs before the first assessment. The first pages are fetched at the same time. */
  readonly prepare?: () => Promise<void>;
  /** Returns the reasons to hold changes back. Called after `prepare`, with the snapshot. */
  readonly holds?: (snapshot: OrganizationSnapshot) => readonly HoldOf[];
  /** Records accounts while the listing continues. Recording them all at the end would require all of them in memory. */
  readonly record?: (accounts: readonly AssessedAccount[]) => Promise<void>;
}

export type SurveyDeps = Pick<Deps, 'cloud' | 'records' | 'snapshots' | 'registers' | 'clock' | 'logger'>;

/**
 * Reads the organization and all listings in parallel, and assesses each page of enrollments while the next page is fetched.
 * @throws CloudError if the organization or the first page of the leading listing cannot be read, or AWS rejects the credentials
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
  const pipeline = new AssessmentPipeline(deps.records, options.record ?? null);

  const background = async (): Promise<AssessmentTable> => {
    const [taken, others] = await Promise.all([
      prepared.then(() => snapshotOf(settings.snapshotMaxAgeMs)),
      listOthers(deps, settings, retrying, options, caller),
    ]);
    const own = managesConfigurations(policy) ? await ownConfigurations(deps.registers, deps.clock.now()) : null;
    const context = {
      ...contextOf(policy, caller, deps.clock.now(), controls),
      holds: options.holds?.(taken) ?? [],
      ...(own !== null && { isOwnConfiguration: own.isOurs }),
    };
    const { needsRecording } = options;
    const table = new AssessmentTable({ policy, caller, context, needsRecording, begunAt }, taken);
    pipeline.begin(table, others);
    if (caller.role === 'management') await assessCaller(table, others);
    return table;
  };
  // No listing names the management account. It is read in parallel with the listings.
  const assessCaller = async (table: AssessmentTable, others: Listings): Promise<void> => {
    await pipeline.assess([caller.accountId], withLeading(others, { seen: new Map(), brokenBy: null }));
    await probeUnlisted(deps, retrying, options, table);
  };

  const listed = readListing(
    (token) => deps.cloud.list(LEADING_KIND, token),
    retrying,
    (fresh, seen) => {
      pipeline.add(fresh, seen);
      onProgress({ kind: 'listing', listing: LEADING_KIND, accounts: seen.size });
    },
    settings.maxAccounts,
  );
  const prepared = options.prepare?.() ?? Promise.resolve();
  const trusting = readTrustedAccess(deps, retrying);
  const listing = listed.catch((error: unknown) => emptyWithoutTrust(error, trusting));
  const recording = prepared.then(() => recordedAccounts(deps));
  const everything = Promise.all([listing, background(), recording, trusting]);
  const [enrolled, table, recorded, trustedAccess] = await everything.catch(async (error: unknown) => {
    // The remaining tasks must not record anything for a failed scan.
    pipeline.abandon();
    await Promise.allSettled([prepared]);
    throw error;
  });
  const listings = await pipeline.end(enrolled);
  if (missingFrom(table, listings).length > 0) {
    // The stored snapshot is outdated, or an account joined in the meantime, so the organization is read again.
    table.reset(await snapshotOf(0));
    await pipeline.assess([...enrolled.seen.keys()], listings);
  }
  const missing = await contradictions(deps, retrying, table.snapshot, missingFrom(table, listings));
  await pipeline.assess(table.unassessed, listings);
  const broken = [...brokenListings(listings), ...(missing.length > 0 ? [contradictionText(missing)] : [])];
  if (broken.length > 0) table.forbidOptOuts();
  await probeUnlisted(deps, retrying, options, table);
  await options.record?.(table.takeUnrecorded(true));
  return {
    caller,
    snapshot: table.snapshot,
    summary: table.summary,
    coverage: table.coverage(ENROLLMENT_IDS, enrolled.seen.size, missing.length),
    coverageByKind: byKind((id) =>
      table.coverage([id, ...kindOf(id).prerequisites], enrolled.seen.size, missing.length),
    ),
    accountsInScope: table.accountsInScope,
    contested: table.contested,
    trustedAccess,
    broken,
    complete: byKind((id) => missing.length === 0 && enrolled.brokenBy === null && !listings[id]?.brokenBy),
    controls,
    at: deps.clock.now(),
    assessed: table.assessed,
    associable: table.associable,
    configurations: managesConfigurations(policy) ? await readConfigurations(deps, retrying) : null,
    gone: missing.length > 0 ? [] : await recordsOfGone(deps, table, recorded),
  };
}

/** Enrolled accounts that the snapshot lacks. */
function missingFrom(table: AssessmentTable, listings: Listings): readonly AccountId[] {
  const listed = new Set(ENROLLMENT_IDS.flatMap((id) => [...(listings[id]?.seen.keys() ?? [])]));
  return [...listed].filter((id) => !table.has(id));
}

/**
 * A listing that AWS denies while trusted access is off counts as empty, so that accounts are read individually. The
 * organization-wide call, which restores trusted access, requires the status of every account.
 */
async function emptyWithoutTrust(error: unknown, trusting: Promise<boolean | null>): Promise<Listing> {
  const refused = error instanceof CloudError && (error.kind === 'Denied' || error.kind === 'Prerequisite');
  if (!refused || (await trusting) !== false) throw error;
  return { seen: new Map(), brokenBy: null };
}

/** Reads trusted access; `null` if that fails, because no assessment depends on it. */
async function readTrustedAccess(deps: SurveyDeps, retrying: Retrying): Promise<boolean | null> {
  try {
    return await retrying(() => deps.cloud.trustedAccess());
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    deps.logger.warn('trusted access could not be read', { code: error.details.code, message: error.message });
    return null;
  }
}

/** The context for assessments at `now`. */
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
  table: AssessmentTable,
): Promise<void> {
  const accounts = table.toProbe;
  let done = 0;
  await mapParallel(accounts, policy.policy.limits.concurrency, async ({ account, known, wanted, record }) => {
    table.assessAccount(account, await probe(deps.cloud, retrying, account.id, known, wanted), record, true);
    done += 1;
    onProgress({ kind: 'probing', done, total: accounts.length });
  });
}

function brokenListings(listings: Listings): string[] {
  return KINDS.flatMap(({ id, title }) => {
    const listing = listings[id];
    if (!listing?.brokenBy) return [];
    return [`the ${title} listing ended early after ${listing.seen.size} accounts: ${listing.brokenBy.message}`];
  });
}

/** Reads the listings beside the leading one, of the kinds that the policy manages. */
async function listOthers(
  deps: SurveyDeps,
  settings: Settings,
  retrying: Retrying,
  { policy, onProgress }: SurveyOptions,
  { partition }: Caller,
): Promise<Listings> {
  const ids = ENROLLMENT_IDS.filter(
    (id) => id !== LEADING_KIND && manages(policy.policy, id) && isAvailable(id, partition),
  );
  const read = await Promise.all(
    ids.map(async (id) => [id, await listOther(deps, settings, retrying, id, onProgress)] as const),
  );
  const listings = new Map(read);
  return byKind((id) => listings.get(id) ?? null);
}

/** A listing that AWS denies counts as broken, so that the other enrollments can still be managed. */
async function listOther(
  deps: SurveyDeps,
  { maxAccounts }: Settings,
  retrying: Retrying,
  enrollment: EnrollmentId,
  onProgress: OnProgress,
): Promise<Listing> {
  const { title, prerequisites } = kindOf(enrollment);
  try {
    return await readListing(
      (token) => deps.cloud.list(enrollment, token),
      retrying,
      (_fresh, seen) => onProgress({ kind: 'listing', listing: enrollment, accounts: seen.size }),
      maxAccounts,
    );
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'Unauthenticated') throw error;
    // The caller lacks the prerequisite, so no account can be enrolled [automation-org].
    if (error.kind === 'Prerequisite' && prerequisites.length > 0) return { seen: new Map(), brokenBy: null };
    deps.logger.warn(`the ${title} listing could not be read`, { code: error.details.code, message: error.message });
    return { seen: new Map(), brokenBy: error };
  }
}

/** Only the ids of all accounts with a record, because all records of a large organization would take too much memory. */
async function recordedAccounts(deps: SurveyDeps): Promise<readonly AccountId[]> {
  const recorded: AccountId[] = [];
  for await (const page of deps.records.heads()) for (const { accountId } of page) recorded.push(accountId);
  return recorded;
}

async function recordsOfGone(
  deps: SurveyDeps,
  table: AssessmentTable,
  recorded: readonly AccountId[],
): Promise<readonly AccountRecord[]> {
  const gone = recorded.filter((id) => !table.has(id));
  return gone.length === 0 ? [] : [...(await deps.records.getMany(gone)).values()].filter((record) => record.present);
}
