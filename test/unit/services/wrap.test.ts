import { describe, expect, test } from 'vitest';
import { wrap } from '../../../services/cli/ui/wrap.ts';

describe('wrapping', () => {
  test('a command stays on one line with its options and selectors', () => {
    const text = 'Suspended 4 accounts. To end it: rollcall resume ou:/Canary --yes and wait.';
    expect(wrap(text, 50)).toEqual(['Suspended 4 accounts. To end it:', 'rollcall resume ou:/Canary --yes and wait.']);
  });

  test('other words wrap at spaces', () => {
    expect(wrap('rollcall scan reads every account', 24)).toEqual(['rollcall scan reads', 'every account']);
    expect(wrap('one two', null)).toEqual(['one two']);
  });
});
