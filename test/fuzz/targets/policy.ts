import { parse, stringify } from 'yaml';
import { tryExpectations } from '../../../shared/domain/policy/expectations/expect.ts';
import { parseExpectations } from '../../../shared/domain/policy/expectations/expectations.ts';
import {
  type CompiledPolicy,
  type Finding as Complaint,
  compilePolicy,
  formatFinding,
  parseOperatorSelector,
  parsePolicy,
} from '../../../shared/domain/policy/index.ts';
import { facts } from '../../contract/samples.ts';
import { read as readText } from '../../infra/template.ts';
import type { Chance } from '../chance.ts';
import { corpusOf } from '../corpus.ts';
import { jsonText, mutateBytes, mutateJson, mutateTexts } from '../mutate.ts';
import { must, type Read, type Target, take } from '../target.ts';

const NOW = Date.UTC(2026, 10, 2, 9);
const NOTHING_IS_CLEAR = () => false;
const NAMES = ['small', 'regulated', 'large'] as const;
const policies = NAMES.map((name) => readText(`examples/${name}.yaml`));
const expectations = NAMES.map((name) => readText(`examples/${name}.test.yaml`));
/** Environment values for `${…}` in a policy. They must not appear in errors. */
const env = { HOOK: 'https://hooks.example.com/very-secret', TOKEN: 'very-secret' };

function complete(findings: readonly Complaint[], input: string): void {
  must(
    findings.some(({ severity }) => severity === 'error'),
    'refused without an error',
    input,
  );
  for (const finding of findings) {
    const { line, column, message } = finding;
    must(line > 0 && column > 0 && message !== '', `a finding without place or message: ${jsonText(finding)}`, input);
    const told = formatFinding(finding);
    must(told.length < 4_000, `a finding of ${told.length} characters`, input);
    must(!told.includes('very-secret'), 'a secret is exposed', input);
  }
}

const shownInput = (text: string | Uint8Array): string =>
  typeof text === 'string' ? text : `base64:${Buffer.from(text).toString('base64')}`;

const ACCOUNTS = [
  facts(1),
  facts(2, { ou: '/', name: '', tags: {} }),
  facts(3, { ou: '/Sandbox/A', name: '\u{1f4a9}' }),
];

function use(policy: CompiledPolicy): void {
  for (const account of ACCOUNTS) {
    policy.resolve(account);
    policy.explain(account);
    policy.isCanary(account);
    policy.exemption(account.id, 'automation', NOW);
  }
  policy.windows.isOpen(NOW);
  policy.windows.nextOpening(NOW);
}

function readPolicy(text: string | Uint8Array): Read {
  const input = shownInput(text);
  return take(
    input,
    () => {
      const result = parsePolicy(text, { file: 'p.yaml', now: NOW, env });
      if (!result.ok) {
        complete(result.findings, input);
        return 'refused';
      }
      use(compilePolicy(result.policy));
      return 'accepted';
    },
    NOTHING_IS_CLEAR,
  );
}

/** YAML. Large values use flow style because it is faster to write. */
function yamlText(value: unknown): string {
  const json = jsonText(value);
  return json.length > 20_000 ? json : stringify(value, { aliasDuplicateObjects: false });
}

/** Hostile text: deep nesting, repetition, references. */
function hostile(chance: Chance): string {
  const n = chance.pick([10, 300, 5_000, 60_000]);
  return chance.pick([
    () => `version: 1\nrules: ${'['.repeat(n)}`,
    () =>
      `version: 1\na: &a [x]\n${Array.from({ length: Math.min(n, 300) }, (_, i) => `b${i}: &b${i} [*a, *a]`).join('\n')}`,
    () => `version: 1\nrules:\n${'  - id: x\n'.repeat(n)}`,
    () => Array.from({ length: Math.min(n, 2_000) }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
    () => `version: 1\n${'? '.repeat(n)}`,
    () => `version: 1\ndefaults: "${'\\u0000'.repeat(n)}"`,
    () => `version: 1\n${`k${n}: {}\n`.repeat(n)}`,
    () => `version: 1\nrules: [${'{}, '.repeat(n)}]`,
    () => `version: 1\nrules:\n  - {id: a, match: {name: "${'*a'.repeat(Math.min(n, 5_000))}"}, mode: off}`,
    () =>
      `version: 1\nrules:\n  - {id: a, match: ${'{not: '.repeat(Math.min(n, 200))}{ou: /A}${'}'.repeat(Math.min(n, 200))}, mode: off}`,
    () => `version: 1\nwindows: [{kind: allow, cron: "${'0,'.repeat(n)}0 * * * *", duration: 8h}]`,
    () => `${'-'.repeat(n)}\n${'#'.repeat(n)}\n${'\t'.repeat(n)}`,
  ])();
}

const ENCODINGS = ['utf16le', 'latin1', 'utf8'] as const;

function policyCase(chance: Chance): Read {
  const text = chance.pick([policies[0] ?? '', ...policies]);
  switch (chance.below(12)) {
    case 0:
      return readPolicy(mutateBytes(Buffer.from(text, chance.pick(ENCODINGS)), chance));
    case 1:
      return readPolicy(chance.oneIn(40) ? hostile(chance) : mutateTexts('version: 1\n', chance));
    case 2:
    case 3:
    case 4:
      return readPolicy(yamlText(mutateJson(parse(text), chance)));
    case 5:
      return readPolicy(jsonText(mutateJson(parse(text), chance)));
    default:
      return readPolicy(mutateTexts(text, chance));
  }
}

export const policyTarget: Target = {
  name: 'policy',
  share: 20,
  open: async () => ({
    make: policyCase,
    corpus: corpusOf('policy').map(([, content]) => readPolicy(content)),
    close: async () => undefined,
  }),
};

export const expectationsTarget: Target = {
  name: 'expectations',
  share: 8,
  open: async () => {
    const compiled = policies.flatMap((text) => {
      const result = parsePolicy(text, { file: 'p.yaml', now: NOW, env });
      return result.ok ? [compilePolicy(result.policy)] : [];
    });
    const [first, ...others] = compiled;
    if (first === undefined || others.length !== NAMES.length - 1) throw new Error('the examples are no policies');
    const read = (text: string | Uint8Array, policy: CompiledPolicy): Read => {
      const input = shownInput(text);
      return take(
        input,
        () => {
          const result = parseExpectations(text, 'p.test.yaml', policy.policy);
          if (result.ok) tryExpectations(policy, result.expectations, NOW);
          else complete(result.findings, input);
          return result.ok ? 'accepted' : 'refused';
        },
        NOTHING_IS_CLEAR,
      );
    };
    return {
      make: (chance) => {
        const at = chance.below(NAMES.length);
        const text = expectations[at] ?? '';
        const policy = compiled[at] ?? first;
        if (chance.oneIn(2)) return read(mutateTexts(text, chance), policy);
        if (chance.oneIn(8)) return read(mutateBytes(Buffer.from(text), chance), policy);
        return read(yamlText(mutateJson(parse(text), chance)), policy);
      },
      corpus: corpusOf('expectations').map(([, content]) => read(content, first)),
      close: async () => undefined,
    };
  },
};

const SELECTORS = ['123456789012,210987654321', 'ou:/Workloads/Prod', 'tag:env=dev', 'name:dev-*', 'all'] as const;

export const selectorTarget: Target = {
  name: 'selector',
  share: 4,
  open: async () => ({
    make: (chance) => {
      const text = mutateTexts(chance.pick(SELECTORS), chance);
      return take(
        text,
        () => {
          const result = parseOperatorSelector(text);
          if (!result.ok) {
            must(result.message !== '' && result.hint !== '', 'refused without a message', text);
            return 'refused';
          }
          for (const account of ACCOUNTS) result.selector.match.test(account);
          const again = parseOperatorSelector(result.selector.text);
          must(
            again.ok && again.selector.text === result.selector.text,
            'what is stored reads as something else',
            text,
          );
          return 'accepted';
        },
        NOTHING_IS_CLEAR,
      );
    },
    corpus: [],
    close: async () => undefined,
  }),
};
