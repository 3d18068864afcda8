import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parsePolicy, policyHash, policyJsonSchema } from '../../../../shared/domain/policy/index.ts';
import { accepted, findingsOf, withDefaults } from './support.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);

describe('defaults of the file', () => {
  const { policy, warnings } = accepted(withDefaults(''));

  it('are filled in', () => {
    expect(warnings).toEqual([]);
    expect(policy).toMatchObject({
      organization: {
        memberRole: 'RollcallMember',
        externalId: null,
        organizationEnrollment: 'never',
        automationConfigurations: 'observe',
      },
      rules: [],
      exemptions: [],
      guardrails: {
        maxChanges: { percent: 20, atLeast: 10 },
        maxOptOuts: { percent: 0, atLeast: 0 },
        minCoverage: 98,
        failureTolerance: 10,
      },
      limits: { callsPerSecond: 'auto', concurrency: 32 },
      schedule: { everyMs: HOUR },
      pendingDeadlineMs: 24 * HOUR,
    });
  });

  it('leave optional sections null if they are missing', () => {
    expect(policy).toMatchObject({ rollout: null, windows: null, retentionMs: null, notify: null });
  });

  it('are filled in around written values', () => {
    const text = withDefaults(
      'guardrails: { maxChanges: { percent: 50 }, maxOptOuts: { atLeast: 1 } }\nlimits: { concurrency: 2 }\n',
    );
    expect(accepted(text).policy).toMatchObject({
      guardrails: { maxChanges: { percent: 50, atLeast: 10 }, maxOptOuts: { percent: 0, atLeast: 1 }, minCoverage: 98 },
      limits: { callsPerSecond: 'auto', concurrency: 2 },
    });
  });
});

describe('the optional sections', () => {
  it('are read in full', () => {
    const { policy } = accepted(
      withDefaults(`
organization: { memberRole: path/Role, externalId: x-1, organizationEnrollment: auto }
rollout: { canary: { match: { ou: /Canary }, wait: 30m } }
windows:
  - { kind: allow, cron: "0  9 * * 1-5", duration: 8h, timezone: Europe/Berlin }
  - { kind: deny, cron: "0 0 1 * *", duration: 90m }
schedule: { cron: "15 * * * *", timezone: UTC }
retention: 400d
pendingDeadline: 36h
notify:
  eventBus: arn:aws-cn:events:cn-north-1:123456789012:event-bus/ops
  webhook: { url: "https://example.com/x", events: [drift, drift, halt] }
`),
    );
    expect(policy).toMatchObject({
      organization: { memberRole: 'path/Role', externalId: 'x-1', organizationEnrollment: 'auto' },
      rollout: { canary: { match: { ou: ['/Canary'] }, waitMs: HOUR / 2 } },
      windows: [
        { kind: 'allow', cron: '0 9 * * 1-5', durationMs: 8 * HOUR, timezone: 'Europe/Berlin' },
        { kind: 'deny', cron: '0 0 1 * *', durationMs: 1.5 * HOUR, timezone: 'UTC' },
      ],
      schedule: { cron: '15 * * * *', timezone: 'UTC' },
      retentionMs: 400 * 24 * HOUR,
      pendingDeadlineMs: 36 * HOUR,
      notify: {
        eventBus: 'arn:aws-cn:events:cn-north-1:123456789012:event-bus/ops',
        webhook: { urlTemplate: 'https://example.com/x', events: ['drift', 'halt'] },
      },
    });
  });

  it('send all events to a webhook by default', () => {
    const { policy } = accepted(withDefaults('notify: { webhook: { url: "https://example.com/x" } }\n'));
    expect(policy.notify?.webhook?.events).toEqual(['drift', 'failed', 'blocked', 'stalled', 'guardrail', 'halt']);
  });
});

describe('the text of the file', () => {
  it('may be bytes, begin with a byte order mark, and end lines with CR LF', () => {
    const text = '\ufeffversion: 1\r\ndefaults:\r\n  computeOptimizer: Active\r\n';
    const expected = policyHash(accepted(withDefaults('')).policy);
    expect(policyHash(accepted(text).policy)).toBe(expected);
    expect(policyHash(accepted(new TextEncoder().encode(text)).policy)).toBe(expected);
  });

  it('may mark an account id as a string with a tag', () => {
    const { policy } = accepted(
      withDefaults('rules: [{ id: a, mode: off, match: { accounts: !!str 012345678901 } }]\n'),
    );
    expect(policy.rules[0]?.match.accounts).toEqual(['012345678901']);
  });
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax of the file's own variables
describe("the webhook's secret", () => {
  const text = withDefaults('notify:\n  webhook:\n    url: https://hooks.example.com/${TOKEN}\n');
  const { policy } = accepted(text, { TOKEN: 's3cr3t' });

  it('is filled in, and only `reveal` returns it', () => {
    expect(policy.notify?.webhook?.url?.reveal()).toBe('https://hooks.example.com/s3cr3t');
    expect(policy.notify?.webhook?.urlTemplate).toBe('https://hooks.example.com/${TOKEN}');
    const printed = [
      JSON.stringify(policy),
      inspect(policy, { depth: 9, showHidden: true }),
      String(policy.notify?.webhook?.url),
    ];
    expect(printed.join()).not.toContain('s3cr3t');
  });

  it('is not part of the hash', () => {
    expect(policyHash(policy)).toBe(policyHash(accepted(text, { TOKEN: 'other' }).policy));
    expect(policyHash(policy)).not.toBe(policyHash(accepted(text.replace('TOKEN', 'T'), { T: 's3cr3t' }).policy));
  });

  it('may be a signing secret in a variable, handled like the URL', () => {
    const signed = withDefaults('notify: { webhook: { url: "https://x/", secret: "${KEY}" } }\n');
    const { policy: kept } = accepted(signed, { KEY: 'k3y' });
    expect(kept.notify?.webhook?.secret?.reveal()).toBe('k3y');
    expect(kept.notify?.webhook?.secretTemplate).toBe('${KEY}');
    expect(JSON.stringify(kept) + inspect(kept, { depth: 9, showHidden: true })).not.toContain('k3y');
    expect(policyHash(kept)).toBe(policyHash(accepted(signed, { KEY: 'other' }).policy));
    expect(policyHash(kept)).not.toBe(
      policyHash(accepted(withDefaults('notify: { webhook: { url: "https://x/" } }\n')).policy),
    );
    for (const secret of ['hunter2', '31337', '"x${KEY}"', '[hunter2]']) {
      const findings = findingsOf(withDefaults(`notify: { webhook: { url: "https://x/", secret: ${secret} } }\n`), {
        KEY: 'k3y',
      });
      expect(findings[0]?.path).toContain('notify.webhook.secret');
      expect(JSON.stringify(findings)).not.toMatch(/hunter2|31337|k3y/);
    }
  });

  it('is not searched for further variables', () => {
    const nested = accepted(text, { TOKEN: '${OTHER}', OTHER: 'x' });
    expect(nested.policy.notify?.webhook?.url?.reveal()).toBe('https://hooks.example.com/${OTHER}');
  });

  it('is not repeated by a finding', () => {
    const whole = withDefaults('notify: { webhook: { url: "${TOKEN}" } }\n');
    for (const TOKEN of ['http://hooks.example.com/s3cr3t', 's3cr3t', 'https://x/s3 cr3t']) {
      const findings = findingsOf(whole, { TOKEN });
      expect(findings).toHaveLength(1);
      expect(findings[0]?.hint).toContain('TOKEN');
      expect(JSON.stringify(findings)).not.toMatch(/s3 ?cr3t/);
    }
    for (const line of [
      'notify: https://x/s3cr3t',
      'notify: { webhook: https://x/s3cr3t }',
      'notify: { webhook: { url: https://x/s3cr3t, } } }',
    ]) {
      expect(JSON.stringify(findingsOf(withDefaults(`${line}\n`)))).not.toContain('s3cr3t');
    }
  });

  it('is required: each missing or empty variable is named', () => {
    const two = withDefaults('notify: { webhook: { url: "https://${HOST}/${TOKEN}" } }\n');
    expect(findingsOf(two, { TOKEN: '' }).map((f) => f.message)).toEqual([
      'the environment variable HOST is not set',
      'the environment variable TOKEN is not set',
    ]);
    expect(
      findingsOf(withDefaults('notify: { webhook: { url: "https://x/${constructor}" } }\n'))[0]?.message,
    ).toContain('constructor');
  });

  it('may use plain http to this machine', () => {
    const local = withDefaults('notify: { webhook: { url: "http://127.0.0.1:8080/x" } }\n');
    expect(accepted(local).policy.notify?.webhook?.url?.reveal()).toBe('http://127.0.0.1:8080/x');
  });

  it('needs no variables in a process that does not send, with the same policy hash', () => {
    const text = withDefaults('notify: { webhook: { url: "https://${HOOK}", secret: "${KEY}" } }\n');
    const env = { HOOK: 'hooks.example.com/x', KEY: 's3cr3t' };
    const sender = parsePolicy(text, { file: 'p.yaml', now: NOW, env });
    const other = parsePolicy(text, { file: 'p.yaml', now: NOW, env: null });
    if (!sender.ok || !other.ok) return expect.fail('both are valid');
    expect(other.policy.notify?.webhook).toMatchObject({ url: null, secret: null });
    expect(policyHash(other.policy)).toBe(policyHash(sender.policy));
    expect(parsePolicy(text, { file: 'p.yaml', now: NOW }).ok).toBe(false);
  });

  it('is the only place where variables are filled in', () => {
    const { policy: literal, warnings } = accepted(
      withDefaults('rules: [{ id: a, mode: off, match: { name: "${TEAM}-*" } }]\n'),
      { TEAM: 'x' },
    );
    expect(literal.rules[0]?.match.name).toEqual(['${TEAM}-*']);
    expect(warnings).toMatchObject([{ path: 'rules[0].match.name', message: expect.stringContaining('literally') }]);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax of the file's own variables

describe('the hash', () => {
  const hash = (text: string) => policyHash(accepted(text).policy);
  const base = withDefaults(
    'rules:\n  - { id: a, match: { ou: [/A, /B] }, mode: alert }\n  - { id: b, match: { ou: /C }, mode: off }\n',
  );

  it('is 64 hex digits', () => expect(hash(base)).toMatch(/^[0-9a-f]{64}$/));

  it.each([
    ['comments and layout', `# c\n${base}# d\n`],
    [
      'order of keys',
      'rules:\n  - { mode: alert, match: { ou: [/A, /B] }, id: a }\n  - { id: b, match: { ou: /C }, mode: off }\ndefaults: { computeOptimizer: Active }\nversion: 1\n',
    ],
    ['order of alternatives', base.replace('[/A, /B]', '[/B, /A, /A]')],
    ['a list of one', base.replace('ou: /C', 'ou: [/C]')],
    [
      'defaults written out',
      `${base}organization: { automationConfigurations: observe }\nschedule: 60m\nlimits: { callsPerSecond: auto, concurrency: 32 }\nexemptions: []\nguardrails: { maxChanges: { atLeast: 10 } }\n`,
    ],
  ])('does not depend on %s', (_, text) => expect(hash(text)).toBe(hash(base)));

  it.each([
    ['a value', base.replace('mode: off', 'mode: enforce')],
    ['a selector', base.replace('/C', '/D')],
    [
      'the order of rules',
      withDefaults(
        'rules:\n  - { id: b, match: { ou: /C }, mode: off }\n  - { id: a, match: { ou: [/A, /B] }, mode: alert }\n',
      ),
    ],
    ['a rule id', base.replace('id: a', 'id: x')],
    ['a guardrail', `${base}guardrails: { minCoverage: 97 }\n`],
    ['a field with a later default', `${base}organization: { automationConfigurations: manage }\n`],
    ['limits that were the defaults of version 0.1.0', `${base}limits: { callsPerSecond: 10 }\n`],
    ['their concurrency', `${base}limits: { concurrency: 8 }\n`],
    ['a section', `${base}windows: [{ kind: allow, cron: "0 9 * * *", duration: 1h }]\n`],
  ])('depends on %s', (_, text) => expect(hash(text)).not.toBe(hash(base)));
});

describe('the JSON Schema', () => {
  const schema = policyJsonSchema();

  it('uses draft 2020-12 and has every section', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      additionalProperties: false,
      required: ['version'],
    });
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  it('accepts what the parser accepts, and rejects wrong shapes', () => {
    const reader = z.fromJSONSchema(JSON.parse(JSON.stringify(schema)));
    const good = {
      version: 1,
      defaults: { mode: 'alert' },
      rules: [{ id: 'a', match: { not: { tags: { env: ['dev'] } } }, mode: 'off' }],
      schedule: '1h',
    };
    expect(reader.safeParse(good).success).toBe(true);
    for (const wrong of [
      { ...good, version: 2 },
      { ...good, bogus: 1 },
      { ...good, schedule: 'soon' },
      { ...good, rules: [{ id: 'a', match: { ous: '/A' } }] },
    ]) {
      expect(reader.safeParse(wrong).success).toBe(false);
    }
  });
});
