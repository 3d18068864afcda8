import type { Exemption, Match, Notify, Policy, PolicySource, Rule, Schedule } from '../types.ts';
import type { PolicyData, RawMatch } from './schema.ts';
import { Secret } from './secret.ts';
import { DAY_MS, parseDate } from './values.ts';

/** How long before its end an expiring exemption is announced. */
const EXEMPTION_NOTICE_MS = 7 * DAY_MS;

/** The webhook's URL and secret after their variables are replaced. */
export interface WebhookSecrets {
  readonly url: string | null;
  readonly secret: string | null;
}

/** Converts checked data to a policy: one form for everything that can be written in several ways. */
export function normalize(data: PolicyData, webhook: WebhookSecrets, source: PolicySource): Policy {
  const { organization, rollout } = data;
  return {
    version: 1,
    organization: {
      memberRole: organization.memberRole,
      externalId: organization.externalId ?? null,
      organizationEnrollment: organization.organizationEnrollment,
      automationConfigurations: organization.automationConfigurations,
    },
    defaults: data.defaults,
    rules: data.rules.map(toRule),
    exemptions: data.exemptions.map(toExemption),
    guardrails: data.guardrails,
    rollout: rollout ? { canary: { match: toMatch(rollout.canary.match), waitMs: rollout.canary.wait } } : null,
    windows: data.windows?.map(({ duration, ...window }) => ({ ...window, durationMs: duration })) ?? null,
    limits: data.limits,
    schedule: toSchedule(data.schedule),
    retentionMs: data.retention ?? null,
    pendingDeadlineMs: data.pendingDeadline,
    notify: toNotify(data.notify, webhook),
    source,
  };
}

function toMatch(raw: RawMatch): Match {
  return {
    ...(raw.accounts && { accounts: raw.accounts }),
    ...(raw.name && { name: raw.name }),
    ...(raw.ou && { ou: raw.ou }),
    ...(raw.tags && { tags: raw.tags }),
    ...(raw.not && { not: toMatch(raw.not) }),
  };
}

function toRule({ id, match, ...sets }: PolicyData['rules'][number]): Rule {
  return { id, match: toMatch(match), sets };
}

function toExemption(raw: PolicyData['exemptions'][number], index: number): Exemption {
  const endsAt = (parseDate(raw.until) ?? 0) + DAY_MS;
  return { ...raw, endsAt, announceAt: endsAt - EXEMPTION_NOTICE_MS, path: `exemptions[${index}]` };
}

function toSchedule(schedule: PolicyData['schedule']): Schedule {
  return typeof schedule === 'number' ? { everyMs: schedule } : schedule;
}

function toNotify(notify: PolicyData['notify'], { url, secret }: WebhookSecrets): Notify | null {
  if (notify === undefined) return null;
  const { webhook } = notify;
  return {
    eventBus: notify.eventBus ?? null,
    webhook: webhook
      ? {
          urlTemplate: webhook.url,
          url: url === null ? null : new Secret(url),
          events: [...new Set(webhook.events)],
          secretTemplate: webhook.secret ?? null,
          secret: secret === null ? null : new Secret(secret),
        }
      : null,
  };
}
