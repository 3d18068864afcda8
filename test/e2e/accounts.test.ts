import { describe, expect, test } from 'vitest';
import { manyAccounts } from './many-accounts.ts';
import { useStory } from './story.ts';

const served = await useStory();

describe.skipIf(served.skipped)('the list of accounts', () => {
  test('searches, sorts and scrolls ten thousand accounts and renders only the visible rows', async () => {
    const page = await served.newPage();
    const { cells, rowAt } = manyAccounts(10_000);
    await page.route('**/api/accounts?*', async (route) => {
      const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const accounts = cells.slice(from, from + 1_000);
      const next = from + 1_000 < cells.length ? String(from + 1_000) : null;
      const json = { accounts, next, total: cells.length, all: cells.length, facets: null };
      await route.fulfill({ json });
    });
    await page.goto(`${served.url}/accounts`);
    await page.getByText('10,000 accounts', { exact: true }).waitFor();
    const table = page.getByRole('region', { name: 'Accounts' });
    expect(await table.getByRole('table').getAttribute('aria-rowcount')).toBe('10001');
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await table.getByRole('link', { name: rowAt(9_999) }).waitFor();
    expect(await table.getByRole('row').count()).toBeLessThan(60);
    await page.getByRole('searchbox', { name: 'Search' }).pressSequentially('account-0777');
    await page.getByText('10 of 10,000 accounts', { exact: true }).waitFor();
    await table.getByRole('button', { name: 'Account', exact: true }).click();
    expect(await table.getByRole('row').nth(1).innerText()).toContain(rowAt(7_779));
    expect(new URL(page.url()).search).toBe('?q=account-0777&sort=name&order=down');
  });

  test('reads the accounts in one compressed answer, and not again while nothing has changed', async () => {
    const page = await served.newPage();
    await page.goto(served.url);
    await page.getByText('A guardrail stopped the last run').waitFor();
    const isList = (response: { url(): string }): boolean => new URL(response.url()).pathname === '/api/accounts';
    const openList = async () => {
      const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Accounts' });
      const [response] = await Promise.all([page.waitForResponse(isList), link.click()]);
      return response;
    };
    const first = await openList();
    expect(first.status()).toBe(200);
    expect(await first.headerValue('content-encoding')).toBe('br');
    const shown = page.getByText(/^\d+ accounts$/);
    const text = await shown.innerText();
    await page.getByRole('link', { name: 'Policy' }).click();
    await page.getByRole('heading', { level: 1, name: 'Policy' }).waitFor();
    expect((await openList()).status()).toBe(304);
    expect(await shown.innerText()).toBe(text);
  });
});
