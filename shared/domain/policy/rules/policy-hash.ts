import { canonicalJson, sha256Hex } from '../../canonical-hash.ts';
import { KINDS } from '../../enrollment/kinds/index.ts';
import { limitsMeaning } from '../limits.ts';
import type { Match, Notify, Policy } from '../types.ts';

/**
 * SHA-256 of the meaning of a policy, with defaults filled in. Layout, comments, and the order of keys and of alternatives in a
 * list do not matter. The webhook's URL and secret are hashed as written, with `${VAR}`, never by their value.
 */
export function policyHash(policy: Policy): string {
  const { source: _, organization, defaults, notify, rules, exemptions, rollout, limits, ...rest } = policy;
  const meaning = {
    ...rest,
    limits: limitsMeaning(limits),
    organization: organizationMeaning(organization),
    defaults: defaultsMeaning(defaults),
    rules: rules.map((rule) => ({ ...rule, match: matchMeaning(rule.match) })),
    exemptions: exemptions.map(({ accounts, enrollment, until, reason, owner }) => {
      return { accounts: asSet(accounts), enrollment, until, reason, owner };
    }),
    rollout: rollout && { canary: { match: matchMeaning(rollout.canary.match), waitMs: rollout.canary.waitMs } },
    notify: notify && {
      eventBus: notify.eventBus,
      webhook: notify.webhook && webhookMeaning(notify.webhook),
    },
  };
  return sha256Hex(canonicalJson(meaning));
}

/** The default of the later field is omitted, so that policies that do not set it keep their hash. */
function organizationMeaning({ automationConfigurations, ...organization }: Policy['organization']) {
  return automationConfigurations === 'observe' ? organization : { ...organization, automationConfigurations };
}

/** A policy that does not mention a kind keeps its hash when a release adds that kind. */
function defaultsMeaning(defaults: Policy['defaults']): Partial<Policy['defaults']> {
  const unmentioned = KINDS.filter(({ id, sinceFirstRelease }) => !sinceFirstRelease && defaults[id] === 'unmanaged');
  const omitted: ReadonlySet<string> = new Set(unmentioned.map(({ id }) => id));
  return Object.fromEntries(Object.entries(defaults).filter(([field]) => !omitted.has(field)));
}

function webhookMeaning({ urlTemplate, events, secretTemplate }: NonNullable<Notify['webhook']>) {
  return { url: urlTemplate, events: asSet(events), ...(secretTemplate !== null && { secret: secretTemplate }) };
}

/** The canonical form of a selector. */
function matchMeaning(match: Match): Match {
  const { accounts, name, ou, tags, not } = match;
  return {
    ...(accounts && { accounts: asSet(accounts) }),
    ...(name && { name: asSet(name) }),
    ...(ou && { ou: asSet(ou) }),
    ...(tags && { tags: Object.fromEntries(Object.entries(tags).map(([key, values]) => [key, asSet(values)])) }),
    ...(not && { not: matchMeaning(not) }),
  };
}

function asSet(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
