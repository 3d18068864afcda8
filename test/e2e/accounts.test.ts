import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { accountsPage, manyAccounts } from './many-accounts.ts';
import { hasFocus } from './page.ts';
import { useStory } from './story.ts';

const served = await useStory();

describe.skipIf(served.skipped)('the list of accounts', () => {
  test('searches and scrolls ten thousand accounts, reads them in pages and renders only the visible rows', async () => {
    const page = await served.newPage();
    const { cells, rowAt } = manyAccounts(10_000);
    const offsets: number[] = [];
    await page.route('**/api/accounts?*', async (route) => {
      const { searchParams } = new URL(route.request().url());
      const offset = Number(searchParams.get('offset') ?? 0);
      if (searchParams.get('limit') === '200') offsets.push(offset);
      const fitting = cells.filter(({ name }) => name.includes(searchParams.get('text') ?? ''));
      await route.fulfill({ json: accountsPage(fitting, cells.length, offset) });
    });
    await page.goto(`${served.url}/accounts`);
    await page.getByText('10,000 accounts', { exact: true }).waitFor();
    const table = page.getByRole('region', { name: 'Accounts', exact: true });
    expect(await table.getByRole('table').getAttribute('aria-rowcount')).toBe('10001');
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await table.getByRole('link', { name: rowAt(9_999) }).waitFor();
    expect(await table.getByRole('row').count()).toBeLessThan(70);
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBe(9_800);
    expect(new Set(offsets).size).toBeLessThan(6);
    // `/` goes to the search field.
    await page.keyboard.press('/');
    await page.keyboard.type('account-0777');
    await page.getByText('10 of 10,000 accounts', { exact: true }).waitFor();
    await table.getByRole('link', { name: rowAt(7_770) }).waitFor();
    await table.getByRole('button', { name: 'Account', exact: true }).click();
    await table
      .getByRole('columnheader', { name: 'Account', exact: true })
      .and(page.locator('[aria-sort="ascending"]'))
      .waitFor();
    expect(new URL(page.url()).search).toBe('?q=account-0777&sort=name');
  });

  test('shows at least 25 rows, worst first, and counts the statuses as its tabs', async () => {
    const page = await served.open('/accounts', { viewport: { width: 1440, height: 1000 } });
    const table = page.getByRole('region', { name: 'Accounts', exact: true });
    await table.getByRole('link').first().waitFor();
    const [, last = ''] = /^Rows 1–(\d+) of \d+$/.exec(await page.getByText(/^Rows 1–/).innerText()) ?? [];
    expect(Number(last)).toBeGreaterThanOrEqual(25);
    const tabs = page.getByRole('navigation', { name: 'Filter by status' }).getByRole('link');
    const counts = (await tabs.allInnerTexts()).map((text) => Number(/\d+$/.exec(text)?.[0]));
    const [all, ...each] = counts;
    expect(each.reduce((sum, n) => sum + n, 0)).toBe(all);
    await tabs.filter({ hasText: 'Drifted' }).click();
    await page.getByText(new RegExp(`^\\d+ of ${all} accounts$`)).waitFor();
    expect(new URL(page.url()).search).toBe('?status=Drifted');
    expect(await table.getByRole('row').nth(1).innerText()).toContain('Inactive → Active');
  });

  test('moves, selects and opens rows by keyboard, and exports the same accounts as CSV', async () => {
    const page = await served.open('/accounts?status=Drifted');
    const table = page.getByRole('region', { name: 'Accounts', exact: true });
    const link = (n: number) => table.getByRole('row').nth(n).getByRole('link');
    await link(1).waitFor();
    await page.keyboard.press('j');
    await hasFocus(link(1));
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await hasFocus(link(3));
    await page.keyboard.press('Shift+X');
    const bar = page.getByRole('toolbar');
    await bar.getByText('3 selected').waitFor();
    await bar.getByRole('button', { name: 'Suspend…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend 3 accounts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await bar.waitFor({ state: 'detached' });
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    const [, ...rows] = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
    const [, total = ''] = /of (\d+)$/.exec(await page.getByText(/^Rows 1–/).innerText()) ?? [];
    expect(rows.length).toBe(Number(total));
    const name = await link(3).innerText();
    await page.keyboard.press('k');
    await hasFocus(link(2));
    await page.keyboard.press('j');
    await hasFocus(link(3));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name }).waitFor();
  });

  test('moves the focus to a rendered row with the key itself, so that the next key finds it there', async () => {
    const page = await served.open('/accounts?status=Drifted');
    const links = page.getByRole('region', { name: 'Accounts', exact: true }).getByRole('row').getByRole('link');
    await links.first().waitFor();
    const names = await links.allInnerTexts();
    const pressed = `document.dispatchEvent(new KeyboardEvent('keydown', { key: 'j' })), document.activeElement.innerText`;
    for (const name of names.slice(0, 3)) expect(await page.evaluate(pressed)).toBe(name);
  });

  test('reads a page of accounts in one compressed answer, and not again while nothing has changed', async () => {
    const page = await served.newPage();
    await page.goto(served.url);
    await page.getByText('A guardrail stopped the last run').waitFor();
    const isList = (response: { url(): string }): boolean =>
      response.url().includes('/api/accounts?') && response.url().includes('limit=200');
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
