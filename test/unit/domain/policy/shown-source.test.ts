import { expect, test } from 'vitest';
import { parsePolicy } from '../../../../shared/domain/policy/index.ts';
import { MANUAL_CLOCK_START } from '../../../support/manual-clock.ts';

const HOOK = 'https://hooks.example.com/T1/secret-path';
const VARIABLE = '$' + '{SIGNING_KEY}';
const TEXT = `# The policy of Example Corp
version: 1
organization:
  memberRole: RollcallMember
  externalId: "very-secret-id"   # from the vault
defaults:
  computeOptimizer: Active
notify:
  webhook:
    # url: ${HOOK}
    url: ${HOOK}
    secret: ${VARIABLE}
    events: [drift]
`;

function sourceOf(text: string): string {
  const read = parsePolicy(text, { file: 'rollcall.yaml', now: MANUAL_CLOCK_START, env: null });
  if (!read.ok) throw new Error(read.findings.map(({ message }) => message).join('; '));
  return read.policy.source.text;
}

test('people see the text of a policy without its secrets, line by line', () => {
  const lines = sourceOf(TEXT).split('\n');
  const expected = TEXT.split('\n').map((line, index) => {
    if (index === 4) return '  externalId: HIDDEN   # from the vault';
    if (index === 9) return '    # url: HIDDEN';
    return index === 10 ? '    url: "$' + '{HIDDEN}"' : line;
  });
  expect(lines).toEqual(expected);
});

test('the text without secrets is a policy again, also when the secret covers several lines', () => {
  const folded = TEXT.replace(`    url: ${HOOK}\n    secret`, `    url: >-\n      ${HOOK}\n    secret`);
  const shown = sourceOf(folded);
  expect(shown).not.toContain('secret-path');
  expect(shown.split('\n')).toHaveLength(folded.split('\n').length);
  expect(sourceOf(shown)).toBe(shown);
});
