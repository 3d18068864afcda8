import type { EpochMs } from '../../domain/enrollment/model.ts';
import { type CompiledPolicy, compileMatch, type Finding, policyWarnings } from '../../domain/policy/index.ts';
import { FIELDS } from '../../domain/policy/types.ts';
import { toIso } from '../../domain/time.ts';
import type { OrganizationSnapshot } from '../../ports/cloud.ts';
import type { Stores } from '../context.ts';
import { policyInForce } from '../coordination/policy-in-force.ts';
import { guardrailUsage } from './guardrail-usage.ts';
import { versionOf } from './policy-versions.ts';

/** Number of accounts for each part of a policy; `null`: not known, because no usable snapshot is stored. */
interface Census {
  readonly matched: readonly number[];
  readonly deciding: readonly number[];
  readonly defaults: number;
  readonly canaries: number;
}

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
  const snapshot = await usable(stores, compiled);
  const inForce = (await policyInForce(stores.registers)) === hash;
  const [changed] = (await stores.ledger.query({ type: 'PolicyChanged' }, { limit: 1 })).entries;
  const { file, text, places } = policy.source;
  const lineOf = (path: string): number | null => places.get(path)?.line ?? null;
  const census = snapshot === null ? null : takeCensus(compiled, snapshot);
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
    rules: policy.rules.map(({ id, match, sets }, index) => ({
      ...{ id, match, sets, line: lineOf(`rules[${index}]`) },
      matched: census?.matched[index] ?? null,
      deciding: census?.deciding[index] ?? null,
    })),
    exemptions: policy.exemptions.map(({ accounts, enrollment, until, reason, owner, endsAt, path }) => ({
      ...{
        accounts,
        enrollment,
        until,
        reason,
        owner,
        endsAt: toIso(endsAt),
        inForce: now < endsAt,
        line: lineOf(path),
      },
    })),
    guardrails: policy.guardrails,
    usage: await guardrailUsage(stores, policy.guardrails, now),
    rollout: rollout === null ? null : { ...rollout.canary, canaries: census?.canaries ?? null },
    windows: policy.windows ?? [],
    limits: policy.limits,
    schedule: policy.schedule,
    retentionMs: policy.retentionMs,
    pendingDeadlineMs: policy.pendingDeadlineMs,
    notify: notify === null ? null : notifyView(notify),
    warnings: warningsOf(compiled, snapshot, known, now).map(({ file: _file, ...finding }) => finding),
  };
}

/** The last snapshot, if it has every account attribute that the policy uses. */
async function usable(
  { snapshots }: Pick<Stores, 'snapshots'>,
  { usesTags }: CompiledPolicy,
): Promise<OrganizationSnapshot | null> {
  const snapshot = await snapshots.load();
  if (snapshot === null) return null;
  return usesTags && !snapshot.tags ? null : snapshot;
}

function takeCensus({ policy, canDecide, resolve, isCanary }: CompiledPolicy, snapshot: OrganizationSnapshot): Census {
  const matches = policy.rules.map(({ match }) => compileMatch(match));
  const matched = policy.rules.map(() => 0);
  const deciding = policy.rules.map(() => 0);
  const places = new Map(policy.rules.map(({ id }, index) => [id, index]));
  let defaults = 0;
  let canaries = 0;
  for (const account of snapshot.accounts) {
    if (!canDecide(account)) continue;
    for (const [index, match] of matches.entries()) {
      if (match.test(account)) matched[index] = (matched[index] ?? 0) + 1;
    }
    const desired = resolve(account);
    const rules = new Set(FIELDS.map((field) => desired[field].rule));
    for (const rule of rules) {
      const index = places.get(rule);
      if (index === undefined) defaults += 1;
      else deciding[index] = (deciding[index] ?? 0) + 1;
    }
    if (isCanary(account)) canaries += 1;
  }
  return { matched, deciding, defaults, canaries };
}

function warningsOf(
  compiled: CompiledPolicy,
  snapshot: OrganizationSnapshot | null,
  known: readonly Finding[],
  now: EpochMs,
): readonly Finding[] {
  if (snapshot === null) return known;
  const found = policyWarnings(compiled, snapshot.accounts, now);
  return 'error' in found ? [found.error] : found;
}

function notifyView({ eventBus, webhook }: NonNullable<CompiledPolicy['policy']['notify']>) {
  if (webhook === null) return { eventBus, webhook: null };
  // The URL of a chat webhook is itself a secret, so only its host is shown.
  const host = URL.parse(webhook.urlTemplate)?.host || null;
  return { eventBus, webhook: { host, events: webhook.events, signed: webhook.secretTemplate !== null } };
}
