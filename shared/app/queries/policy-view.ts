import type { EpochMs } from '../../domain/enrollment/model.ts';
import {
  type CompiledPolicy,
  censusWarnings,
  type Exemption,
  type Finding,
  type Policy,
  type PolicyCensus,
  policyCensus,
} from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Stores } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { guardrailUsage } from './guardrail-usage.ts';
import { versionOf } from './policy-versions.ts';

/**
 * The policy as data, without secrets: its rules, the number of accounts of each, and warnings.
 * @param known the warnings from reading the policy, used if no listing of accounts is stored to check it against
 */
export async function policyView(
  stores: Pick<Stores, 'snapshots' | 'registers' | 'ledger'>,
  compiled: CompiledPolicy,
  known: readonly Finding[],
  now: EpochMs,
) {
  const { policy, hash } = compiled;
  const snapshot = await usableSnapshot(stores, compiled);
  const inForce = (await policyInForce(stores.registers)) === hash;
  const [changed] = (await stores.ledger.query({ type: 'PolicyChanged' }, { limit: 1 })).entries;
  const { file, text, places } = policy.source;
  const lineOf: LineOf = (path) => places.get(path)?.line ?? null;
  const census = snapshot === null ? null : censusOf(compiled, snapshot);
  const { memberRole, organizationEnrollment, automationConfigurations } = policy.organization;
  const { rollout, notify } = policy;
  return {
    hash,
    inForce,
    version: changed?.policyHash === hash ? versionOf(changed) : null,
    source: { file, lines: text.replace(/\n$/, '').split(/\r?\n/) },
    snapshotAt: snapshot === null ? null : toIso(snapshot.takenAt),
    organization: { memberRole, organizationEnrollment, automationConfigurations },
    defaults: { ...policy.defaults, accounts: census?.defaults ?? null, line: lineOf('defaults') },
    rules: policy.rules.map((rule, index) => ruleView(rule, index, census, lineOf)),
    exemptions: policy.exemptions.map((exemption) => exemptionView(exemption, now, lineOf)),
    guardrails: policy.guardrails,
    usage: await guardrailUsage(stores, policy.guardrails, now),
    rollout: rollout === null ? null : { ...rollout.canary, canaries: census?.canaries ?? null },
    windows: policy.windows ?? [],
    limits: policy.limits,
    schedule: policy.schedule,
    retentionMs: policy.retentionMs,
    pendingDeadlineMs: policy.pendingDeadlineMs,
    notify: notify === null ? null : notifyView(notify),
    warnings: warningsOf(compiled, census, known, now).map(({ file: _file, ...finding }) => finding),
  };
}

/** The line of the policy's file that sets the value at this path; `null`: the file does not set it. */
type LineOf = (path: string) => number | null;

function ruleView(
  { id, match, sets }: Policy['rules'][number],
  index: number,
  census: PolicyCensus | null,
  lineOf: LineOf,
) {
  const [matched, deciding] = [census?.matched[index] ?? null, census?.deciding[index] ?? null];
  return { id, match, sets, line: lineOf(`rules[${index}]`), matched, deciding };
}

function exemptionView(exemption: Exemption, now: EpochMs, lineOf: LineOf) {
  const { accounts, enrollment, until, reason, owner, endsAt, path } = exemption;
  return {
    accounts,
    enrollment,
    until,
    reason,
    owner,
    endsAt: toIso(endsAt),
    inForce: now < endsAt,
    line: lineOf(path),
  };
}

/** The last snapshot, if it has every account attribute that the policy uses. */
async function usableSnapshot(
  { snapshots }: Pick<Stores, 'snapshots'>,
  { usesTags }: CompiledPolicy,
): Promise<OrganizationSnapshot | null> {
  const snapshot = await snapshots.load();
  if (snapshot === null) return null;
  return usesTags && !snapshot.tags ? null : snapshot;
}

/** Cached per snapshot: a census takes tens of milliseconds, and the API keeps an unchanged snapshot in memory (`snapshot-cache.ts`). */
function censusOf(compiled: CompiledPolicy, snapshot: OrganizationSnapshot): PolicyCensus {
  const known = censuses.get(snapshot);
  if (known?.compiled === compiled) return known.census;
  const census = policyCensus(compiled, snapshot.accounts);
  censuses.set(snapshot, { compiled, census });
  return census;
}

const censuses = new WeakMap<
  OrganizationSnapshot,
  { readonly compiled: CompiledPolicy; readonly census: PolicyCensus }
>();

function warningsOf(
  { policy }: CompiledPolicy,
  census: PolicyCensus | null,
  known: readonly Finding[],
  now: EpochMs,
): readonly Finding[] {
  if (census === null) return known;
  const found = censusWarnings(policy, census, now);
  return 'error' in found ? [found.error] : found;
}

function notifyView({ eventBus, webhook }: NonNullable<CompiledPolicy['policy']['notify']>) {
  if (webhook === null) return { eventBus, webhook: null };
  // The URL of a chat webhook is itself a secret, so only its host is shown.
  const host = URL.parse(webhook.urlTemplate)?.host || null;
  return { eventBus, webhook: { host, events: webhook.events, signed: webhook.secretTemplate !== null } };
}
