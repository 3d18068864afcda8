import { canonicalJson, sha256Hex } from '../../canonical-hash.ts';
import type { Match, Notify, Policy } from '../types.ts';

/**
 * SHA-256 (64 hex digits) of the meaning of a policy, with defaults filled in. It ignores layout, comments, the order of keys and the order of
 * alternatives in a list; the order of rules counts. The webhook's URL and secret count as written, with `${VAR}`, never by their value.
 */
export function policyHash(policy: Policy): string {
  const { source: _, notify, rules, exemptions, rollout, ...rest } = policy;
  const meaning = {
    ...rest,
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
