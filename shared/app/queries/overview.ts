import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import { capOf } from '../../domain/decision/guardrails.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { OrganizationAccount } from '../../domain/policy/types.ts';
import { toIso } from '../../domain/time.ts';
import type { Clock } from '../../ports/system.ts';
import type { Stores } from '../context.ts';
import { RunStore } from '../coordination/run-store.ts';
import { changedRecently, usedOf } from '../guardrails/rolling-changes.ts';
import { accountsById } from './accounts-by-id.ts';
import { MARKED, type markersAnswer, type overviewAnswer } from './answers/overview.ts';
import { auditReport } from './audit/report.ts';
import { driftsByActor } from './drifts-by-actor.ts';
import type { KnownDrifts } from './known-drifts.ts';
import { OpenGroups } from './open-groups.ts';
import { Places } from './places.ts';

/** The newest events that charts mark, newest first. @param since ISO 8601 */
export async function markers(
  { ledger }: Pick<Stores, 'ledger'>,
  since: string,
): Promise<z.infer<typeof markersAnswer>> {
  const found = await Promise.all(
    MARKED.map(async (type) => {
      const { entries } = await ledger.query({ type, since }, { limit: MOST_MARKERS });
      return entries.map(({ at, actor, reason }) => ({ at, type, actor, reason }));
    }),
  );
  const events = found.flat().sort((a, b) => (a.at < b.at ? 1 : -1));
  return { events: events.slice(0, 2 * MOST_MARKERS) };
}

/** Markers of one type. */
const MOST_MARKERS = 10;

export type Overview = z.infer<typeof overviewAnswer>;

const DAY_MS = 86_400_000;

export interface OverviewDeps {
  readonly stores: Stores;
  /** Stores for the state of a day ago. Reading it takes long, because it reads all chains. */
  readonly longReads: Stores;
  readonly policy: CompiledPolicy | null;
  readonly dayAgo: DayAgo;
  readonly knownDrifts: KnownDrifts;
  /** Epoch ms. */
  readonly now: number;
}

/** What the overview shows beside the status: what changed in a day, what needs attention, what waits, where drift is and who caused it. */
export async function overview(deps: OverviewDeps): Promise<Overview> {
  const { stores, longReads, policy, dayAgo, knownDrifts, now } = deps;
  const [before, changedBy, guardrails, counted] = await Promise.all([
    dayAgo.get(longReads),
    driftsByActor(stores, knownDrifts, now),
    policy === null ? null : guardrailUse(stores, policy, now),
    countRecords(stores),
  ]);
  return { at: toIso(now), dayAgo: before, ...counted, changedBy, guardrails };
}

/** How many of the newest entries are shown. */
const RECENT = 8;

async function countRecords({ ledger, records, snapshots }: Stores) {
  const snapshot = await snapshots.load();
  const accounts = accountsById(snapshot);
  const groups = new OpenGroups();
  const places = { ous: new Places(), rules: new Places(), tags: new Places() };
  const tagged = (snapshot?.accounts ?? []).some(({ tags }) => Object.keys(tags ?? {}).length > 0);
  for await (const page of records.all()) {
    for (const record of page) {
      if (!record.present) continue;
      groups.add(record);
      addTo(places, record, accounts.get(record.accountId) ?? null);
    }
  }
  const { ous, rules, tags } = places;
  const { entries } = await ledger.query({}, { limit: RECENT });
  return {
    recent: entries.map((entry) => ({ entry, accountName: accounts.get(entry.accountId ?? '')?.name ?? null })),
    attention: groups.attention(),
    waiting: groups.waiting(),
    ous: ous.view(),
    rules: rules.view(),
    tags: tagged ? tags.view() : null,
  };
}

/** @param account its facts; `null`: it is not in the snapshot */
function addTo(
  { ous, rules, tags }: Readonly<Record<'ous' | 'rules' | 'tags', Places>>,
  record: AccountRecord,
  account: Pick<OrganizationAccount, 'ou' | 'tags'> | null,
): void {
  const conditions = conditionsOf(record);
  if (account !== null) ous.add(account.ou, conditions);
  for (const [index, { rule }] of conditions.entries()) {
    if (rule === null || conditions.findIndex((each) => each.rule === rule) < index) continue;
    const own = conditions.filter((each) => each.rule === rule);
    rules.add(rule, own);
  }
  for (const [key, value] of Object.entries(account?.tags ?? {})) tags.add(`${key}=${value}`, conditions);
}

const conditionsOf = ({ conditions }: AccountRecord): readonly Condition[] =>
  ENROLLMENT_IDS.flatMap((id) => conditions[id] ?? []);

async function guardrailUse(
  stores: Stores,
  { policy: { guardrails } }: CompiledPolicy,
  now: number,
): Promise<Overview['guardrails']> {
  const changed = await changedRecently(stores, now);
  const { entries } = await stores.ledger.query({ type: 'ScanCompleted' }, { limit: 1 });
  const runId = entries[0]?.runId ?? null;
  const run = runId === null ? null : await new RunStore(stores.registers).get(runId);
  const cap = (limit: typeof guardrails.maxChanges): number | null =>
    run === null ? null : capOf(limit, run.accountsInScope);
  const used = usedOf(changed);
  return {
    changes: { used: used.changes, approved: changed.size - used.changes, cap: cap(guardrails.maxChanges) },
    optOuts: { used: used.optOuts, cap: cap(guardrails.maxOptOuts) },
  };
}

/** How far the time of the earlier state is from exactly a day ago at most, ms. Computing it reads every account. */
const STEP_MS = 10 * 60_000;

/** The state 24 hours ago, computed again every {@link STEP_MS}. */
export class DayAgo {
  readonly #clock: Clock;
  readonly #turn: () => Promise<void>;
  #known: { readonly at: number; readonly state: Promise<Overview['dayAgo']> } | null = null;

  /** @param turn as in {@link auditReport} */
  constructor(clock: Clock, turn: () => Promise<void> = async () => undefined) {
    this.#clock = clock;
    this.#turn = turn;
  }

  get(stores: Stores): Promise<Overview['dayAgo']> {
    const at = Math.floor((this.#clock.now() - DAY_MS) / STEP_MS) * STEP_MS;
    if (this.#known?.at === at) return this.#known.state;
    const known = { at, state: this.#read(stores, at) };
    this.#known = known;
    known.state.catch(() => {
      if (this.#known === known) this.#known = null;
    });
    return known.state;
  }

  async #read(stores: Stores, at: number): Promise<Overview['dayAgo']> {
    const period = { since: toIso(at), until: toIso(at + 1), intervalMs: STEP_MS, top: 0 };
    const { points } = await auditReport(stores, period, this.#turn);
    const [point] = points;
    if (point === undefined || ENROLLMENT_IDS.every((id) => point.compliance[id].managed === 0)) return null;
    return { at: point.at, openDrift: point.openDrifts, compliance: byKind((id) => point.compliance[id].percent) };
  }
}
