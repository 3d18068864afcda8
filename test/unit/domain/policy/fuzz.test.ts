import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parsePolicy } from '../../../../shared/domain/policy/index.ts';
import { NOW } from './support.ts';

describe('parsePolicy', () => {
  const complete = (text: string | Uint8Array) => {
    const result = parsePolicy(text, { file: 'p', now: NOW });
    if (result.ok) return;
    expect(result.findings.length).toBeGreaterThan(0);
    for (const f of result.findings) {
      expect(f.line).toBeGreaterThan(0);
      expect(f.column).toBeGreaterThan(0);
      expect(f.message).not.toBe('');
    }
    expect(result.findings.some((f) => f.severity === 'error')).toBe(true);
  };

  it('never throws on any text, and gives a reason', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), complete), { numRuns: 1000 });
  });

  it('never throws on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), complete), { numRuns: 1000 });
  });

  it('never throws on texts made of parts of a policy', () => {
    const pieces = [
      'version: 1',
      'rules:',
      'defaults:',
      '  - ',
      ' id: a',
      'match:',
      'ou: /A',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '\n  ',
      ': ',
      '&a ',
      '*a',
      '!!str ',
      '"',
      "'",
      '|',
      '<<: ',
      '---\n',
      '#',
      '\t',
      'until: 2027-01-01',
      ['$', '{X}'].join(''),
      'notify: ',
      'webhook: ',
      'url: ',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((list) => list.join('')),
        complete,
      ),
      { numRuns: 1000 },
    );
  });

  it('never throws on any data at the right paths', () => {
    const keys = [
      'version',
      'organization',
      'defaults',
      'rules',
      'exemptions',
      'guardrails',
      'rollout',
      'windows',
      'limits',
      'schedule',
      'retention',
      'notify',
      'match',
      'not',
      'tags',
      'accounts',
      'until',
      'canary',
      'webhook',
      'url',
    ];
    const key = fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 3 }));
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.string({ maxLength: 4 }),
        fc.double(),
        fc.constantFrom(null, true, 1),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(key, tie('node'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(node, (value) => complete(stringify(value, { aliasDuplicateObjects: false }))),
      { numRuns: 1000 },
    );
  });
});
