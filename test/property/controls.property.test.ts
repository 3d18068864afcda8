import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Act,
  type Controls,
  compileControls,
  controlsSchema,
  expired,
  halted,
  NO_CONTROLS,
  resumed,
  suspended,
  unhalted,
} from '../../shared/domain/decision/operator-controls.ts';
import { type OrganizationAccount, parseOperatorSelector } from '../../shared/domain/policy/index.ts';

const IDS = ['111111111111', '222222222222', '333333333333'];
const facts = (id: string, over: Partial<OrganizationAccount> = {}): OrganizationAccount => ({
  ...{ id, name: `dev-${id[0]}`, ou: '/A', state: 'ACTIVE', management: false, tags: { env: 'dev' } },
  ...over,
});
const ACCOUNTS = [
  facts(IDS[0] ?? ''),
  facts(IDS[1] ?? '', { ou: '/A/B', tags: {} }),
  facts(IDS[2] ?? '', { ou: '/C', name: 'x' }),
];

const selector = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }).map((ids) => [...ids].sort().join(',')),
  fc.constantFrom('ou:/A', 'ou:/A/B', 'tag:env=dev', 'name:dev-*', 'all'),
);
const step = fc.oneof(
  fc.record({ kind: fc.constant('suspend' as const), text: selector, ends: fc.option(fc.integer({ min: 1, max: 9 })) }),
  fc.record({ kind: fc.constant('resume' as const), text: selector }),
  fc.constant({ kind: 'halt' as const }),
  fc.constant({ kind: 'unhalt' as const }),
  fc.constant({ kind: 'tick' as const }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function selected(text: string) {
  const parsed = parseOperatorSelector(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.selector;
}

function walk(steps: readonly Step[]): { controls: Controls; now: number; ids: number } {
  let controls = NO_CONTROLS;
  let ids = 0;
  let now = 0;
  for (const each of steps) {
    now += 1;
    ids += 1;
    const act: Act = { id: `id-${ids}`, at: now, by: 'alice' };
    if (each.kind === 'suspend') {
      const until = each.ends === null ? null : now + each.ends;
      controls = suspended(controls, act, { selector: each.text, until, why: null });
    } else if (each.kind === 'resume') controls = resumed(controls, act, selected(each.text)).controls;
    else if (each.kind === 'halt') controls = halted(controls, act, null);
    else if (each.kind === 'unhalt') controls = unhalted(controls, act);
    else controls = expired(controls, now, () => `expired-${++ids}`, 'tick');
  }
  return { controls, now, ids };
}

describe('operator controls, in any order', () => {
  it('can be stored and read, and have a notice with its own id for every command', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { controls } = walk(steps);
        expect(controlsSchema.parse(JSON.parse(JSON.stringify(controls)))).toEqual(controls);
        const ids = controls.notices.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const texts = controls.suspensions.map((known) => known.selector);
        expect(new Set(texts).size).toBe(texts.length);
      }),
    );
  });

  it('suspend exactly the accounts that a suspension in force selects, and none after `resume all`', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { controls, now } = walk(steps);
        const compiled = compileControls(controls);
        for (const account of ACCOUNTS) {
          const meant = controls.suspensions.filter(
            (known) => (known.until === null || now < known.until) && selected(known.selector).match.test(account),
          );
          const found = compiled.suspensionOf(account, now);
          expect(found !== null).toBe(meant.length > 0);
          // Of several, the one that ends last.
          const ends = meant.map(({ until }) => until ?? Number.POSITIVE_INFINITY);
          if (found !== null) expect(found.until ?? Number.POSITIVE_INFINITY).toBe(Math.max(...ends));
        }
        const act = { id: 'last', at: now, by: 'bob' };
        const none = compileControls(resumed(controls, act, selected('all')).controls);
        expect(ACCOUNTS.map((account) => none.suspensionOf(account, now))).toEqual([null, null, null]);
      }),
    );
  });

  it('resuming an id ends its suspension by id, but not that of other ids', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }), fc.constantFrom(...IDS), (ids, one) => {
        const act = { id: 'a', at: 0, by: 'alice' };
        const set = suspended(NO_CONTROLS, act, { selector: [...ids].sort().join(','), until: null, why: null });
        const { controls, ended, left } = resumed(set, { ...act, id: 'b' }, selected(one));
        expect([ended, left]).toEqual(ids.includes(one) ? [[one], []] : [[], [one]]);
        const compiled = compileControls(controls);
        for (const { id } of ACCOUNTS) {
          expect(compiled.suspensionOf(facts(id), 1) !== null).toBe(ids.includes(id) && id !== one);
        }
      }),
    );
  });

  it('if two suspensions name the same accounts after a resume, the one that ends last stays', () => {
    const act = { id: 'a', at: 0, by: 'alice' };
    const [one = '', two = ''] = IDS;
    const first = suspended(NO_CONTROLS, act, { selector: one, until: 5, why: null });
    const both = suspended(first, { ...act, id: 'b' }, { selector: `${one},${two}`, until: null, why: 'b' });
    const { controls } = resumed(both, { ...act, id: 'c' }, selected(two));
    expect(controls.suspensions).toMatchObject([{ selector: one, until: null, reason: 'b' }]);
  });

  it('a suspension by tag applies to accounts whose tags were not read', () => {
    const act = { id: 'a', at: 0, by: 'alice' };
    const set = suspended(NO_CONTROLS, act, { selector: 'tag:env=dev', until: null, why: null });
    const compiled = compileControls(set);
    expect(compiled.usesTags).toBe(true);
    expect(compiled.suspensionOf(facts('111111111111', { tags: null }), 1)?.reason).toContain('not read yet');
    expect(compiled.suspensionOf(facts('111111111111', { tags: {} }), 1)).toBeNull();
  });
});
