import { describe, expect, it } from 'vitest';
import { matchSelector, parseOperatorSelector, TagsNotReadError } from '../../../../shared/domain/policy/index.ts';
import { account } from './support.ts';

describe('selectors of operators', () => {
  const select = (text: string, over: Parameters<typeof account>[0] = {}) => {
    const result = parseOperatorSelector(text);
    if (!result.ok) expect.fail(result.message);
    return matchSelector(result.selector.match, account(over));
  };

  it.each([
    ['111111111111', {}, true],
    ['222222222222, 111111111111', {}, true],
    ['222222222222', {}, false],
    ['ou:/Workloads', {}, true],
    ['ou:/Work', {}, false],
    ['ou:/', {}, true],
    ['tag:env=dev', { tags: { env: 'dev' } }, true],
    ['tag:env=a=b', { tags: { env: 'a=b' } }, true],
    ['tag:env=', { tags: { env: '' } }, true],
    ['tag:env=dev', {}, false],
    ['name:pay*', {}, true],
    ['name:pay', {}, false],
    ['all', {}, true],
  ])('%s', (text, over, expected) => expect(select(text, over)).toBe(expected));

  it('are written in one way, which reads as the same again', () => {
    for (const text of ['222222222222 111111111111,222222222222', 'ou:/A/B C', 'tag:k:x=v', 'name:a*', 'all']) {
      const first = parseOperatorSelector(text);
      if (!first.ok) expect.fail(first.message);
      const again = parseOperatorSelector(first.selector.text);
      expect(again).toMatchObject({
        ok: true,
        selector: { text: first.selector.text, accounts: first.selector.accounts },
      });
    }
  });

  it('name the accounts, so that unknown ones can be warned of', () => {
    expect(parseOperatorSelector('222222222222,111111111111')).toMatchObject({
      selector: { accounts: ['111111111111', '222222222222'] },
    });
  });

  it('need tags that were read', () => {
    expect(() => select('tag:env=dev', { tags: null })).toThrow(TagsNotReadError);
  });

  it.each([
    ['', /nothing is selected/, /account ids/],
    ['  ', /nothing is selected/, /account ids/],
    ['12345', /has 5 digits/, /12/],
    ['111111111111,x', /`x` is not a selector/, /Write account ids/],
    ['ou:Sandbox', /not the path of an OU/, /ou:\/Workloads/],
    ['ou:', /not the path of an OU/, /./],
    ['tag:env', /not key=value/, /tag:env=dev/],
    ['tag:=x', /not key=value/, /./],
    ['name:', /missing/, /name:dev/],
    ['tags:env=dev', /not a selector/, /Did you mean `tag:`/],
    ['ALL', /not a selector/, /Did you mean `all`/],
  ])('refuses %j', (text, message, hint) => {
    const result = parseOperatorSelector(text);
    if (result.ok) expect.fail('accepted');
    expect(result.message).toMatch(message);
    expect(result.hint).toMatch(hint);
  });
});
