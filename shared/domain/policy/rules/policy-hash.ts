import { canonicalJson, sha256Hex } from '../../canonical-hash.ts';
import type { Match, Notify, Policy } from '../types.ts';

/**
 * SHA-256 (64 hex digits) of what a policy means: defaults filled in, whatever the order of keys and of alternatives in a
 * list, comments or layout. The order of rules counts. Of the webhook's URL and secret the `${VAR}` text counts, never its value.
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

/** The same selection, written in one way. */
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
