import { describe, expect, it } from 'vitest';
import { formatFinding, parsePolicy } from '../../../../shared/domain/policy/index.ts';
import { findingsOf, NOW, withDefaults } from './support.ts';

interface Bad {
  readonly what: string;
  readonly text: string | Uint8Array;
  /** `line:column path` */
  readonly at: string;
  readonly message: RegExp;
  readonly found: string;
  readonly expected: RegExp;
  readonly hint: RegExp;
}

function bad(
  what: string,
  text: string | Uint8Array,
  at: string,
  message: RegExp,
  found: string,
  expected: RegExp,
  hint: RegExp,
): Bad {
  return { what, text, at, message, found, expected, hint };
}

const rule = (rest: string) => withDefaults(`rules:\n  - id: a\n${rest}`);
const exemption = (rest: string) =>
  withDefaults(`exemptions:\n  - accounts: ["123456789012"]\n    reason: freeze\n    owner: me\n${rest}`);

// biome-ignore format: a table, one case a line
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax of the file's own variables
const CASES: readonly Bad[] = [
  // The text itself
  bad('an empty file', '', '1:1 ', /file is empty/, 'nothing', /a policy/, /policy init/),
  bad('nothing but comments', '# soon\n\n', '1:1 ', /file is empty/, 'nothing', /a policy/, /policy init/),
  bad('a byte order mark alone', '\ufeff', '1:1 ', /file is empty/, 'nothing', /a policy/, /policy init/),
  bad('several documents', 'version: 1\n---\nversion: 1\n', '2:1 ', /several YAML documents/, 'a second document', /one/, /---/),
  bad('an unclosed bracket', 'version: 1\nrules: [\n', '3:1 ', /not valid YAML/, 'the end of the line', /valid YAML/, /indentation/),
  bad('a tab as indentation', 'version: 1\ndefaults:\n\tmode: off\n', '3:1 ', /not valid YAML.*Tabs/, '`mode: off`', /valid YAML/, /quotes/),
  bad('unquoted braces', 'notify: { webhook: { url: ${X} } }\n', '1:28 ', /not valid YAML/, '`{X} } }`', /valid YAML/, /@ or a backtick belongs in quotes/),
  bad('another YAML version', '%YAML 1.1\n---\nversion: 1\n', '1:1 ', /another YAML version/, '%YAML 1.1', /1\.2/, /off/),
  bad('an unknown directive', '%POLICY x\n---\nversion: 1\n', '1:1 ', /directive/, '`%POLICY x`', /valid YAML/, /./),
  bad('bytes that are not UTF-8', bytes('version: 1\n# caf', [0xe9], '\n'), '2:6 ', /not UTF-8/, 'the byte 0xe9', /UTF-8/, /Save/),
  bad('UTF-16', new Uint8Array([0xff, 0xfe, 0x76, 0]), '1:1 ', /not UTF-8/, 'the byte 0xff', /UTF-8/, /Save/),
  bad('a cut character at the end', bytes('a: é', [0xc3], ''), '1:5 ', /not UTF-8/, 'the byte 0xc3', /UTF-8/, /Save/),
  bad('a list instead of a map', '- version: 1\n', '1:1 ', /wrong value/, 'a list', /a map with version, organization/, /key: value/),
  bad('a text instead of a map', 'hello', '1:1 ', /wrong value/, '`hello`', /a map with/, /./),
  bad('more values than a policy can need', `version: 1\nrules:\n${'  - id: x\n'.repeat(60_000)}`, '33335:5 ', /too many values/, 'more than 100000 list items, keys and values', /at most 100000/, /Match by ou/),
  // Unsupported YAML
  bad('a duplicate key', 'version: 1\ndefaults:\n  mode: off\n  mode: enforce\n', '4:3 defaults.mode', /written twice/, 'a second `mode`', /line 3/, /Remove one/),
  bad('an anchor', withDefaults('rules: &r []\n'), '3:11 rules', /anchors/, 'an anchor', /value itself/, /Write the value out/),
  bad('a tag', withDefaults('schedule: !!binary aGk=\n'), '3:11 ', /tag/i, '`!!binary aGk=`', /./, /./),
  bad('a key that is not a string', withDefaults('7: x\n'), '3:1 ', /key cannot be used/, '`7`', /a text/, /"7"/),
  bad('a list as a key', withDefaults('? [a]\n: x\n'), '3:3 ', /key cannot be used/, 'a list, map or alias as a key', /a text/, /./),
  bad('the key __proto__', withDefaults('__proto__: { a: 1 }\n'), '3:1 ', /key cannot be used/, '`__proto__`', /a text/, /./),
  // Top level
  bad('no version', 'defaults: { computeOptimizer: Active }\n', '1:1 version', /`version` is missing/, 'nothing', /^1$/, /version: 1/),
  bad('a wrong version', 'version: 2\ndefaults: { computeOptimizer: Active }\n', '1:10 version', /wrong value/, 'the number `2`', /^1$/, /version: 1/),
  bad('an unknown key', withDefaults('exemption: []\n'), '3:1 exemption', /unknown key/, '`exemption`', /one of version/, /Did you mean `exemptions`/),
  bad('a key of another section', withDefaults('automationConfigurations: manage\n'), '3:1 automationConfigurations', /unknown key/, '`automationConfigurations`', /one of version/, /Did you mean `organization.automationConfigurations`/),
  bad('a key of the top of the file', withDefaults('limits: { schedule: 1h }\n'), '3:11 limits.schedule', /unknown key/, '`schedule`', /one of callsPerSecond/, /Did you mean `schedule`/),
  bad('an unknown key like nothing', withDefaults('zzz: []\n'), '3:1 zzz', /unknown key/, '`zzz`', /one of version/, /Remove it/),
  bad('a section left empty', withDefaults('limits:\n'), '3:1 limits', /wrong value/, 'nothing', /a map with callsPerSecond/, /remove it/),
  bad('nothing to manage', 'version: 1\n', '1:1 ', /cannot match any account/, 'only unmanaged enrollments', /at least one/, /defaults/),
  bad('mode off everywhere', 'version: 1\ndefaults: { computeOptimizer: Active, mode: off }\n', '2:11 defaults', /cannot match any account/, 'mode: off everywhere', /at least one/, /mode: alert/),
  bad('rules that can match nothing, over unmanaged defaults', 'version: 1\nrules:\n  - { id: a, match: { ou: /A, not: { ou: / } }, computeOptimizer: Active }\n', '1:1 ', /cannot match any account/, 'only unmanaged enrollments', /at least one/, /./),
  // organization
  bad('a role ARN', withDefaults('organization: { memberRole: "arn:aws:iam::1:role/x" }\n'), '3:29 organization.memberRole', /wrong value/, '`arn:aws:iam::1:role/x`', /name of an IAM role, not its ARN/, /./),
  bad('an external id of one letter', withDefaults('organization: { externalId: x }\n'), '3:29 organization.externalId', /wrong value/, '`x`', /external id/, /./),
  bad('a variable in the external id', withDefaults('organization:\n  externalId: ${ID}\n'), '4:15 organization.externalId', /wrong value/, '`${ID}`', /external id/, /./),
  bad('an unknown enrollment policy', withDefaults('organization: { organizationEnrollment: always }\n'), '3:41 organization.organizationEnrollment', /wrong value/, '`always`', /never \| auto/, /Write one of/),
  bad('an unknown use of configurations', withDefaults('organization: { automationConfigurations: own }\n'), '3:43 organization.automationConfigurations', /wrong value/, '`own`', /observe \| manage/, /Write one of/),
  // defaults and rules
  bad('a status in lower case', 'version: 1\ndefaults: { computeOptimizer: active }\n', '2:31 defaults.computeOptimizer', /wrong value/, '`active`', /Active \| Inactive \| unmanaged/, /Did you mean `Active`/),
  bad('a mode that is a boolean', 'version: 1\ndefaults: { computeOptimizer: Active, mode: true }\n', '2:45 defaults.mode', /wrong value/, 'the boolean `true`', /enforce \| alert \| off/, /Write one of/),
  bad('Pending, which cannot be requested', rule('    match: { ou: /A }\n    automation: Pending\n'), '6:17 rules[0].automation', /wrong value/, '`Pending`', /Active \| Inactive/, /./),
  bad('a rule without id', withDefaults('rules:\n  - match: { ou: /A }\n    mode: off\n'), '4:5 rules[0].id', /`id` is missing/, 'nothing', /an id/, /Add `id: …`/),
  bad('an id with a space', withDefaults('rules:\n  - id: a b\n    match: { ou: /A }\n    mode: off\n'), '4:9 rules[0].id', /wrong value/, '`a b`', /an id/, /./),
  bad('an id that is a number', withDefaults('rules:\n  - id: 007\n    match: { ou: /A }\n    mode: off\n'), '4:9 rules[0].id', /wrong value/, 'the number `007`', /an id/, /"007"/),
  bad('the id `defaults`', withDefaults('rules:\n  - id: defaults\n    match: { ou: /A }\n    mode: off\n'), '4:9 rules[0].id', /wrong value/, '`defaults`', /an id/, /choose another/),
  bad('a duplicate id', rule('    match: { ou: /A }\n    mode: off\n  - id: a\n    match: { ou: /B }\n    mode: off\n'), '7:9 rules[1].id', /used twice/, '`a`', /line 4/, /another/),
  bad('a rule that sets nothing', rule('    match: { ou: /A }\n'), '4:5 rules[0]', /sets nothing/, 'no field', /at least one of computeOptimizer/, /remove/),
  bad('a rule without match', rule('    mode: off\n'), '4:5 rules[0].match', /`match` is missing/, 'nothing', /a map with accounts, name, ou, tags, not/, /match: …/),
  bad('an empty match', rule('    match: {}\n    mode: off\n'), '5:12 rules[0].match', /wrong value/, 'an empty map', /at least one of accounts/, /defaults/),
  bad('an empty not', rule('    match: { ou: /A, not: {} }\n    mode: off\n'), '5:27 rules[0].match.not', /wrong value/, 'an empty map', /at least one of accounts/, /./),
  bad('an unknown condition', rule('    match: { ous: /A }\n    mode: off\n'), '5:14 rules[0].match.ous', /unknown key/, '`ous`', /accounts, name, ou, tags, not/, /Did you mean `ou`/),
  bad('more than 1000 rules', withDefaults(`rules:\n${Array.from({ length: 1001 }, (_, i) => `  - { id: r${i}, match: { ou: /A${i} }, mode: off }\n`).join('')}`), '4:3 rules', /wrong value/, 'a list', /at most 1000 rules/, /Match by ou/),
  bad('more than 50 windows', withDefaults(`windows:\n${'  - { kind: allow, cron: "0 9 * * *", duration: 1h }\n'.repeat(51)}`), '4:3 windows', /wrong value/, 'a list', /at most 50 windows/, /./),
  bad('rules that are a map', withDefaults('rules:\n  a: { match: { ou: /A }, mode: off }\n'), '4:3 rules', /wrong value/, 'a map', /a list of rules/, /- /),
  // selectors
  bad('an account id read as a number', rule('    match: { accounts: [123456789012] }\n    mode: off\n'), '5:25 rules[0].match.accounts[0]', /wrong value/, 'the number `123456789012`', /12 digits in quotes/, /"123456789012"/),
  bad('an account id that loses its zero', rule('    match: { accounts: 012345678901 }\n    mode: off\n'), '5:24 rules[0].match.accounts', /wrong value/, 'the number `012345678901`', /12 digits in quotes/, /"012345678901"/),
  bad('an account id of 11 digits', rule('    match: { accounts: "12345678901" }\n    mode: off\n'), '5:24 rules[0].match.accounts', /wrong value/, '`12345678901`', /12 digits/, /./),
  bad('an account id in other digits', rule('    match: { accounts: "١٢٣٤٥٦٧٨٩٠١٢" }\n    mode: off\n'), '5:24 rules[0].match.accounts', /wrong value/, '`١٢٣٤٥٦٧٨٩٠١٢`', /12 digits/, /./),
  bad('an empty list', rule('    match: { accounts: [] }\n    mode: off\n'), '5:24 rules[0].match.accounts', /wrong value/, 'an empty list', /or a list of them/, /at least one/),
  bad('an OU without slash', rule('    match: { ou: Sandbox }\n    mode: off\n'), '5:18 rules[0].match.ou', /wrong value/, '`Sandbox`', /path of an OU/, /Begin with \//),
  bad('an OU with a slash at its end', rule('    match: { ou: [/A, /Sandbox/] }\n    mode: off\n'), '5:23 rules[0].match.ou[1]', /wrong value/, '`/Sandbox/`', /path of an OU/, /none at the end/),
  bad('an OU with an empty name', rule('    match: { ou: /A//B }\n    mode: off\n'), '5:18 rules[0].match.ou', /wrong value/, '`/A//B`', /path of an OU/, /one \/ before/),
  bad('an empty name', rule('    match: { name: "" }\n    mode: off\n'), '5:20 rules[0].match.name', /wrong value/, 'an empty text', /a name or glob/, /./),
  bad('a tag value that is a number', rule('    match: { tags: { cost: 010 } }\n    mode: off\n'), '5:28 rules[0].match.tags.cost', /wrong value/, 'the number `010`', /a tag value/, /"010"/),
  bad('a tag value that is a boolean', rule('    match: { tags: { prod: [true] } }\n    mode: off\n'), '5:29 rules[0].match.tags.prod[0]', /wrong value/, 'the boolean `true`', /a tag value/, /"true"/),
  bad('no tags', rule('    match: { tags: {} }\n    mode: off\n'), '5:20 rules[0].match.tags', /wrong value/, 'an empty map', /at least one tag/, /./),
  bad('an empty tag key', rule('    match: { tags: { "": x } }\n    mode: off\n'), '5:26 rules[0].match.tags[""]', /wrong value/, '`x`', /a tag key/, /./),
  // contradictions
  bad('AnyAllowed without Automation in one rule', rule('    match: { ou: /A }\n    automation: Inactive\n    organizationRules: AnyAllowed\n'), '7:24 rules[0].organizationRules', /contradiction: organizationRules: AnyAllowed needs/, '`automation: Inactive`', /automation: Active/, /NoneAllowed/),
  bad('AnyAllowed over unmanaged Automation', rule('    match: { ou: /A }\n    automation: unmanaged\n    organizationRules: AnyAllowed\n'), '7:24 rules[0].organizationRules', /contradiction/, '`automation: unmanaged`', /automation: Active/, /./),
  bad('AnyAllowed in the defaults, Automation left out', 'version: 1\ndefaults: { computeOptimizer: Active, organizationRules: AnyAllowed }\n', '2:58 defaults.organizationRules', /contradiction/, '`automation: unmanaged`', /automation: Active/, /./),
  bad('AnyAllowed where nothing activates Automation', rule('    match: { ou: /A }\n    organizationRules: AnyAllowed\n'), '6:24 rules[0].organizationRules', /contradiction.*nothing in this file/, 'no `automation: Active`', /automation: Active/, /./),
  bad('Automation without Compute Optimizer in one rule', rule('    match: { ou: /A }\n    computeOptimizer: Inactive\n    automation: Active\n'), '7:17 rules[0].automation', /contradiction: automation: Active needs/, '`computeOptimizer: Inactive`', /computeOptimizer: Active/, /./),
  bad('Automation without Compute Optimizer in the defaults', 'version: 1\ndefaults: { computeOptimizer: Inactive, automation: Active }\n', '2:53 defaults.automation', /contradiction/, '`computeOptimizer: Inactive`', /./, /./),
  bad('Automation where Compute Optimizer is Inactive everywhere', 'version: 1\ndefaults: { computeOptimizer: Inactive }\nrules:\n  - { id: a, match: { ou: /A }, automation: Active }\n', '4:45 rules[0].automation', /contradiction.*Inactive everywhere/, '`computeOptimizer: Inactive` for every account', /./, /./),
  // exemptions
  bad('an exemption without end', exemption(''), '4:5 exemptions[0].until', /`until` is missing/, 'nothing', /a date/, /one year/),
  bad('one without reason', withDefaults('exemptions:\n  - { accounts: "123456789012", until: 2027-01-31, owner: me }\n'), '4:5 exemptions[0].reason', /missing/, 'nothing', /a reason/, /./),
  bad('one with a blank reason', withDefaults('exemptions:\n  - { accounts: "123456789012", until: 2027-01-31, owner: me, reason: " " }\n'), '4:71 exemptions[0].reason', /wrong value/, '` `', /a reason/, /./),
  bad('one without owner', withDefaults('exemptions:\n  - { accounts: "123456789012", until: 2027-01-31, reason: x }\n'), '4:5 exemptions[0].owner', /missing/, 'nothing', /an owner/, /./),
  bad('one without accounts', withDefaults('exemptions:\n  - { until: 2027-01-31, reason: x, owner: me }\n'), '4:5 exemptions[0].accounts', /missing/, 'nothing', /12 digits/, /./),
  bad('a day that does not exist', exemption('    until: 2027-02-30\n'), '7:12 exemptions[0].until', /wrong value/, '`2027-02-30`', /a date/, /no such day/),
  bad('a date of another form', exemption('    until: 31.01.2027\n'), '7:12 exemptions[0].until', /wrong value/, '`31.01.2027`', /a date, like 2027-01-31/, /./),
  bad('a time', exemption('    until: 2027-01-31T00:00:00Z\n'), '7:12 exemptions[0].until', /wrong value/, '`2027-01-31T00:00:00Z`', /a date/, /./),
  bad('a year', exemption('    until: 2027\n'), '7:12 exemptions[0].until', /wrong value/, 'the number `2027`', /a date/, /./),
  bad('a date more than a year ahead', exemption('    until: 2027-11-23\n'), '7:12 exemptions[0].until', /lasts too long/, '`2027-11-23`', /2027-11-22 or earlier/, /./),
  bad('an unknown enrollment', exemption('    until: 2027-01-31\n    enrollment: all\n'), '8:17 exemptions[0].enrollment', /wrong value/, '`all`', /computeOptimizer \| automation \| costOptimizationHub \| both/, /./),
  // numbers
  bad('more than 100 percent', withDefaults('guardrails: { maxChanges: { percent: 101 } }\n'), '3:38 guardrails.maxChanges.percent', /wrong value/, 'the number `101`', /0 to 100/, /./),
  bad('a negative number', withDefaults('guardrails: { maxOptOuts: { atLeast: -1 } }\n'), '3:38 guardrails.maxOptOuts.atLeast', /wrong value/, 'the number `-1`', /whole number/, /./),
  bad('half an account', withDefaults('guardrails: { maxChanges: { atLeast: 1.5 } }\n'), '3:38 guardrails.maxChanges.atLeast', /wrong value/, 'the number `1.5`', /whole number/, /./),
  bad('not a number', withDefaults('guardrails: { minCoverage: .nan }\n'), '3:28 guardrails.minCoverage', /wrong value/, 'the number `.nan`', /percentage/, /./),
  bad('a percentage as text', withDefaults('guardrails: { failureTolerance: 10% }\n'), '3:33 guardrails.failureTolerance', /wrong value/, '`10%`', /percentage/, /./),
  bad('a word other than auto for the rate', withDefaults('limits: { callsPerSecond: fast }\n'), '3:27 limits.callsPerSecond', /wrong value/, '`fast`', /`auto`, or a number above 0/, /./),
  bad('no calls at all', withDefaults('limits: { callsPerSecond: 0 }\n'), '3:27 limits.callsPerSecond', /wrong value/, 'the number `0`', /above 0/, /./),
  bad('endless calls', withDefaults('limits: { callsPerSecond: .inf }\n'), '3:27 limits.callsPerSecond', /wrong value/, 'the number `.inf`', /at most 1000/, /./),
  bad('half a worker', withDefaults('limits: { concurrency: 1.5 }\n'), '3:24 limits.concurrency', /wrong value/, 'the number `1.5`', /whole number/, /./),
  // durations, cron, zones
  bad('a duration without unit', withDefaults('schedule: 60\n'), '3:11 schedule', /wrong value/, 'the number `60`', /a duration from 1m/, /1h/),
  bad('a duration with an unknown unit', withDefaults('pendingDeadline: 2w\n'), '3:18 pendingDeadline', /wrong value/, '`2w`', /a duration/, /s, m, h or d/),
  bad('too short a schedule', withDefaults('schedule: 10s\n'), '3:11 schedule', /wrong value/, '`10s`', /from 1m/, /must be/),
  bad('too short a retention', withDefaults('retention: 1h\n'), '3:12 retention', /wrong value/, '`1h`', /from 1d/, /./),
  bad('a schedule with an unknown key', withDefaults('schedule: { cron: "15 * * * *", zone: UTC }\n'), '3:33 schedule.zone', /unknown key/, '`zone`', /cron, timezone/, /./),
  bad('a cron expression out of range', withDefaults('schedule: { cron: "61 * * * *" }\n'), '3:19 schedule.cron', /wrong value/, '`61 * * * *`', /5 fields/, /minute: 61/),
  bad('a cron expression with seconds', withDefaults('schedule: { cron: "0 15 * * * *" }\n'), '3:19 schedule.cron', /wrong value/, '`0 15 * * * *`', /5 fields/, /6 fields/),
  bad('a cron nickname', withDefaults('schedule: { cron: "@daily" }\n'), '3:19 schedule.cron', /wrong value/, '`@daily`', /5 fields/, /1 fields/),
  bad('a cron expression that never comes true', withDefaults('schedule: { cron: "0 0 31 2 *" }\n'), '3:19 schedule.cron', /wrong value/, '`0 0 31 2 *`', /5 fields/, /No date/),
  bad('an unknown time zone', withDefaults('schedule: { cron: "15 * * * *", timezone: Europe/Berln }\n'), '3:43 schedule.timezone', /wrong value/, '`Europe/Berln`', /a time zone/, /IANA/),
  bad('a window of an unknown kind', withDefaults('windows:\n  - { kind: open, cron: "0 9 * * *", duration: 1h }\n'), '4:13 windows[0].kind', /wrong value/, '`open`', /allow \| deny/, /./),
  bad('a window without duration', withDefaults('windows:\n  - { kind: allow, cron: "0 9 * * *" }\n'), '4:5 windows[0].duration', /missing/, 'nothing', /a duration/, /./),
  bad('a canary without wait', withDefaults('rollout: { canary: { match: { ou: /C } } }\n'), '3:20 rollout.canary.wait', /missing/, 'nothing', /a duration/, /./),
  // notify
  bad('notify with nothing in it', withDefaults('notify: {}\n'), '3:9 notify', /wrong value/, 'an empty map', /eventBus, webhook or both/, /./),
  bad('a bus with spaces', withDefaults('notify: { eventBus: my bus }\n'), '3:21 notify.eventBus', /wrong value/, 'a value that is not shown here', /EventBridge bus/, /./),
  bad('a webhook without https', withDefaults('notify: { webhook: { url: "http://example.com/secret" } }\n'), '3:27 notify.webhook.url', /not a usable URL/, 'a value that is not shown here', /https URL/, /https:/),
  bad('a webhook of an unset variable', withDefaults('notify: { webhook: { url: "${HOOK}" } }\n'), '3:27 notify.webhook.url', /variable HOOK is not set/, 'no variable HOOK', /its value/, /Set HOOK/),
  bad('a secret that is written out', withDefaults('notify: { webhook: { url: "https://x/", secret: hunter2 } }\n'), '3:49 notify.webhook.secret', /wrong value/, 'a value that is not shown here', /a variable/, /environment variable/),
  bad('a secret that is a number', withDefaults('notify: { webhook: { url: "https://x/", secret: 31337 } }\n'), '3:49 notify.webhook.secret', /wrong value/, 'a value that is not shown here', /a variable/, /environment variable/),
  bad('a secret of an unset variable', withDefaults('notify: { webhook: { url: "https://x/", secret: "${KEY}" } }\n'), '3:49 notify.webhook.secret', /variable KEY is not set/, 'no variable KEY', /its value/, /Set KEY/),
  bad('an unfinished variable', withDefaults('notify: { webhook: { url: "https://x/${HOOK" } }\n'), '3:27 notify.webhook.url', /malformed variable/, 'an unfinished `${`', /NAME/, /letters/),
  bad('an unknown event', withDefaults('notify: { webhook: { url: "https://x/", events: [drfit] } }\n'), '3:50 notify.webhook.events[0]', /wrong value/, '`drfit`', /drift \| failed/, /Did you mean `drift`/),
  bad('no event', withDefaults('notify: { webhook: { url: "https://x/", events: [] } }\n'), '3:49 notify.webhook.events', /wrong value/, 'an empty list', /at least one event/, /all of them/),
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax of the file's own variables

function bytes(before: string, middle: readonly number[], after: string): Uint8Array {
  const encoder = new TextEncoder();
  return new Uint8Array([...encoder.encode(before), ...middle, ...encoder.encode(after)]);
}

describe('bad policy files: one finding each, at the right place', () => {
  it.each(CASES)('$what', ({ text, at, message, found, expected, hint }) => {
    const findings = findingsOf(text);
    const place = (f: (typeof findings)[number]) => `${f.line}:${f.column} ${f.path}`;
    expect(findings.map(place)).toContain(at);
    const [finding] = findings.filter((f) => place(f) === at);
    expect(finding).toMatchObject({ severity: 'error', file: 'policy.yaml', found });
    expect(finding?.message).toMatch(message);
    expect(finding?.expected).toMatch(expected);
    expect(finding?.hint).toMatch(hint);
  });

  it('one error causes one finding', () => {
    const echoing = CASES.filter(({ text }) => findingsOf(text).filter((f) => f.severity === 'error').length !== 1);
    // After a stray bracket the parser cannot read the rest of the line.
    expect(echoing.map(({ what }) => what)).toEqual(['unquoted braces']);
  });
});

describe('all findings together', () => {
  it('reports each of several errors, in the order of the file', () => {
    const text = [
      'version: 3',
      'defaults: { computeOptimizer: on }',
      'rules:',
      '  - { id: x, match: {}, mode: of }',
      '  - { id: x, match: { accounts: [1, "2"] }, automation: Active, computeOptimizer: Inactive }',
      'exemptions:',
      '  - { accounts: "123456789012", until: 2029-01-01, reason: r }',
      'schedule: soon',
      'bogus: 1',
    ].join('\n');
    expect(findingsOf(text).map((f) => `${f.line}:${f.column} ${f.path}`)).toEqual([
      '1:10 version',
      '2:31 defaults.computeOptimizer',
      '4:21 rules[0].match',
      '4:31 rules[0].mode',
      '5:11 rules[1].id',
      '5:34 rules[1].match.accounts[0]',
      '5:37 rules[1].match.accounts[1]',
      '5:57 rules[1].automation',
      '7:5 exemptions[0].owner',
      '7:40 exemptions[0].until',
      '8:11 schedule',
      '9:1 bogus',
    ]);
  });

  it('stops at a thousand findings and reports how many are left', () => {
    const ids = Array.from({ length: 1500 }, () => '123456789012').join(', ');
    const findings = findingsOf(withDefaults(`rules:\n  - { id: a, mode: off, match: { accounts: [${ids}] } }\n`));
    expect(findings).toHaveLength(1001);
    expect(findings.at(-1)?.message).toBe('500 more findings from here on');
  });
});

describe('formatFinding', () => {
  it('is a line that editors can jump to, with a hint', () => {
    const [finding] = findingsOf('version: 1\ndefaults: { computeOptimizer: active }\n');
    if (finding === undefined) expect.fail('no finding');
    expect(formatFinding(finding)).toBe(
      'policy.yaml:2:31: error: defaults.computeOptimizer: wrong value (found `active`, expected Active | Inactive | unmanaged)\n  Did you mean `Active`?',
    );
  });

  it('does not let a file write control characters to the terminal', () => {
    const [finding] = findingsOf('version: 1\ndefaults: { computeOptimizer: "\\e[2J\\u202e" }\n');
    if (finding === undefined) expect.fail('no finding');
    expect(formatFinding(finding)).toContain('found `\\u001b[2J\\u202e`');
  });
});

describe('hostile YAML is rejected quickly', () => {
  const HOSTILE: readonly (readonly [string, string, RegExp])[] = [
    ['flow nesting', '['.repeat(500_000), /nested too deeply/],
    ['map nesting', '{a: '.repeat(250_000), /nested too deeply/],
    ['block nesting on a line', '- '.repeat(500_000), /nested too deeply/],
    ['explicit keys', '? '.repeat(500_000), /nested too deeply/],
    [
      'block nesting by indentation',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested too deeply/,
    ],
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*a, *a, *a]`).join('\n')}`,
      /anchors/,
    ],
    ['a huge file', '#'.repeat(2_000_000), /too large/],
    ['thirty thousand keys', Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join('\n'), /unknown key/],
    ['a hundred thousand documents', '---\n'.repeat(100_000), /several YAML documents/],
    ['thirty thousand equal keys', 'k: 1\n'.repeat(30_000), /written twice|more findings/],
    ['a quarter of a million quotes', '"'.repeat(250_001), /too many values/],
  ];
  it.each(HOSTILE)('%s', (_, text, message) => {
    const result = parsePolicy(text, { file: 'p', now: NOW });
    if (result.ok) expect.fail('accepted');
    expect(result.findings.some((finding) => message.test(finding.message))).toBe(true);
  });
});
