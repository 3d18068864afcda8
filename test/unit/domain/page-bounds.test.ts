import { describe, expect, it } from 'vitest';
import { readMaxAccounts } from '../../../shared/config/bounds-env.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../shared/domain/page-bounds.ts';

/** Reads a listing with `items` new items per page, at most 5,000 pages. @returns the page that ended it, and why */
function listed(tokenOf: (page: number) => string | null, items: number, maxItems = MAX_ACCOUNTS) {
  const bounds = new PageBounds({ itemsPerPage: 20, maxItems });
  for (let page = 1; page <= 5_000; page += 1) {
    const token = tokenOf(page);
    const why = bounds.broken({ items, total: page * items, token });
    if (why !== null || token === null) return { page, why };
  }
  return null;
}

describe('a paged listing', () => {
  it.each([
    ['tokens that alternate', (page: number) => (page % 2 === 0 ? 'A' : 'B'), 5],
    ['a full page with its own token', () => 'same', 5],
    ['a long cycle', (page: number) => String(page % 300), 0],
  ])('%s: a page token was repeated', (_, tokenOf, items) => {
    expect(listed(tokenOf, items)?.why).toBe('a page token was repeated');
  });

  it('empty pages may repeat their own token, but not forever', () => {
    expect(listed((page) => (page < 900 ? 'same' : null), 0)).toEqual({ page: 900, why: null });
    expect(listed(() => 'same', 0)).toEqual({ page: 1_001, why: '1001 pages contained 0 items' });
  });

  it('full pages with new tokens end at the maximum number of items', () => {
    expect(listed(String, 20, 1_000)).toEqual({ page: 51, why: '1020 items, but the maximum is 1000' });
    expect(listed((page) => (page === 500 ? null : String(page)), 20)).toEqual({ page: 500, why: null });
  });
});

describe('ROLLCALL_MAX_ACCOUNTS', () => {
  it.each([
    [undefined, 10_000],
    ['', 10_000],
    ['50000', 50_000],
  ])('%s means %d', (text, value) => {
    expect(readMaxAccounts({ ROLLCALL_MAX_ACCOUNTS: text })).toBe(value);
  });

  it.each([['0'], ['-1'], ['ten'], ['1e5'], ['10_000'], ['2000000']])('%s is refused by name', (text) => {
    expect(() => readMaxAccounts({ ROLLCALL_MAX_ACCOUNTS: text })).toThrow(ConfigError);
    expect(() => readMaxAccounts({ ROLLCALL_MAX_ACCOUNTS: text })).toThrow(/ROLLCALL_MAX_ACCOUNTS is .*1 to 1000000/);
  });
});
