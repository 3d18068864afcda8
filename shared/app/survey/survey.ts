import { type AccountRecord, canLeave } from '../../domain/account/record.ts';
import type { AssessContext, HoldOf } from '../../domain/decision/assess-context.ts';
import type { Coverage } from '../../domain/decision/guardrails.ts';
import { type CompiledControls, compileControls } from '../../domain/decision/operator-controls.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId, kindOf } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, Caller } from '../../domain/enrollment/model.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { CompiledPolicy, OrganizationAccount } from '../../domain/policy/index.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { RecordsView } from '../../ports/records.ts';
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
import { brokenListings, emptyWithoutTrust, listOthers, readTrustedAccess } from './kind-listings.ts';
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
  /** Accounts that could not be read because AWS refused the member role. */
  readonly deniedRoles: readonly OrganizationAccount[];
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

/** What the parts of one survey share. */
interface Parts {
  readonly deps: SurveyDeps;
  readonly settings: Settings;
  readonly retrying: Retrying;
  readonly options: SurveyOptions;
  readonly begunAt: number;
  readonly caller: Caller;
  readonly controls: CompiledControls;
  readonly pipeline: AssessmentPipeline;
}

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
  const { policy, begunAt = deps.clock.now() } = options;
  const caller = await retrying(() => deps.cloud.identify());
  const controls = compileControls(await readControls(deps.registers));
  const pipeline = new AssessmentPipeline(options.record ?? null);
  const parts = { deps, settings, retrying, options, begunAt, caller, controls, pipeline };
  const { enrolled, table, recorded, trustedAccess } = await readEverything(parts);
  const { listings, missing, broken } = await assessRest(parts, table, enrolled);
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
    deniedRoles: table.deniedRoles,
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

interface ReadAll {
  /** The leading listing. */
  readonly enrolled: Listing;
  readonly table: AssessmentTable;
  /** All accounts with a record. */
  readonly recorded: readonly AccountId[];
  readonly trustedAccess: boolean | null;
}

/** Reads the leading listing and, in parallel, everything else. Pages of the leading listing are assessed as soon as the rest is known. */
async function readEverything(parts: Parts): Promise<ReadAll> {
  const { deps, settings, retrying, options, pipeline } = parts;
  const listed = readListing(
    (token) => deps.cloud.list(LEADING_KIND, token),
    retrying,
    (fresh, seen) => {
      pipeline.add(fresh, seen);
      options.onProgress({ kind: 'listing', listing: LEADING_KIND, accounts: seen.size });
    },
    settings.maxAccounts,
  );
  const prepared = options.prepare?.() ?? Promise.resolve();
  const trusting = readTrustedAccess(deps, retrying);
  const listing = listed.catch((error: unknown) => emptyWithoutTrust(error, trusting));
  const viewing = prepared.then(() => deps.records.view());
  const everything = Promise.all([listing, beginTable(parts, prepared, viewing), viewing, trusting]);
  const [enrolled, table, { accountIds: recorded }, trustedAccess] = await everything.catch(async (error: unknown) => {
    // The remaining tasks must not record anything for a failed scan.
    pipeline.abandon();
    await Promise.allSettled([prepared]);
    throw error;
  });
  return { enrolled, table, recorded, trustedAccess };
}

/** Reads the organization and the other listings, and begins the assessments. @param prepared resolves when they may begin */
async function beginTable(
  parts: Parts,
  prepared: Promise<void>,
  viewing: Promise<RecordsView>,
): Promise<AssessmentTable> {
  const { deps, settings, retrying, options, begunAt, caller, controls, pipeline } = parts;
  const { policy, needsRecording } = options;
  const [taken, others, records] = await Promise.all([
    prepared.then(() => snapshotOf(parts, settings.snapshotMaxAgeMs)),
    listOthers(deps, settings, retrying, options, caller),
    viewing,
  ]);
  const own = managesConfigurations(policy) ? await ownConfigurations(deps.registers, deps.clock.now()) : null;
  const context = {
    ...contextOf(policy, caller, deps.clock.now(), controls),
    holds: options.holds?.(taken) ?? [],
    ...(own !== null && { isOwnConfiguration: own.isOurs }),
  };
  const table = new AssessmentTable({ policy, caller, context, needsRecording, begunAt }, taken);
  pipeline.begin(table, others, records);
  if (caller.role === 'management') {
    // No listing names the management account. It is read in parallel with the listings.
    await pipeline.assess([caller.accountId], withLeading(others, { seen: new Map(), brokenBy: null }));
    await probeUnlisted(deps, retrying, options, table);
  }
  return table;
}

function snapshotOf({ deps, retrying, options, controls }: Parts, maxAgeMs: number): Promise<OrganizationSnapshot> {
  const { policy, saveSnapshot, onProgress } = options;
  const needs = { usesTags: policy.usesTags || controls.usesTags };
  return takeSnapshot(deps, maxAgeMs, retrying, needs, saveSnapshot, onProgress);
}

interface Completed {
  readonly listings: Listings;
  /** Enrolled accounts that are not in the organization. */
  readonly missing: readonly AccountId[];
  /** Problems in sentences. */
  readonly broken: readonly string[];
}

/** Assesses the accounts that the leading listing does not name, once all listings have been read. */
async function assessRest(parts: Parts, table: AssessmentTable, enrolled: Listing): Promise<Completed> {
  const { deps, retrying, options, pipeline } = parts;
  const listings = await pipeline.end(enrolled);
  if (missingFrom(table, listings).length > 0) {
    // The stored snapshot is outdated, or an account joined in the meantime, so the organization is read again.
    table.reset(await snapshotOf(parts, 0));
    await pipeline.assess([...enrolled.seen.keys()], listings);
  }
  const missing = await contradictions(deps, retrying, table.snapshot, missingFrom(table, listings));
  await pipeline.assess(table.unassessed, listings);
  const broken = [...brokenListings(listings), ...(missing.length > 0 ? [contradictionText(missing)] : [])];
  if (broken.length > 0) table.forbidOptOuts();
  await probeUnlisted(deps, retrying, options, table);
  await options.record?.(table.takeUnrecorded(true));
  return { listings, missing, broken };
}

/** Enrolled accounts that the snapshot lacks. */
function missingFrom(table: AssessmentTable, listings: Listings): readonly AccountId[] {
  const listed = new Set(ENROLLMENT_IDS.flatMap((id) => [...(listings[id]?.seen.keys() ?? [])]));
  return [...listed].filter((id) => !table.has(id));
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

async function recordsOfGone(
  deps: SurveyDeps,
  table: AssessmentTable,
  recorded: readonly AccountId[],
): Promise<readonly AccountRecord[]> {
  const gone = recorded.filter((id) => !table.has(id));
  return gone.length === 0 ? [] : [...(await deps.records.getMany(gone)).values()].filter(canLeave);
}
