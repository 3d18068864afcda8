import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { accountsPage, manyAccounts } from './many-accounts.ts';
import { useStory } from './story.ts';

const statusAnswer = z.looseObject({ statuses: z.looseObject({}) });
const served = await useStory();

describe.skipIf(served.skipped)('the enrollment filter of accounts and audit', () => {
  test('offers the enrollments that are recorded, and one that the address names', async () => {
    const offered = (page: Page) =>
      page.getByRole('combobox', { name: 'Enrollment' }).locator('option').allInnerTexts();
    const recorded = ['Any', 'Compute Optimizer', 'Automation'];
    const hub = 'Cost Optimization Hub';
    for (const path of ['/accounts', '/audit']) {
      const page = await served.newPage();
      await page.goto(`${served.url}${path}`);
      await page.locator('main time').first().waitFor();
      expect([path, await offered(page)]).toEqual([path, recorded]);
      await page.goto(`${served.url}${path}?enrollment=costOptimizationHub`);
      await page.getByRole('combobox', { name: 'Enrollment' }).waitFor();
      expect((await offered(page)).toSorted()).toEqual([...recorded, hub].toSorted());
    }
    // A kind that is in the records, also if no policy manages it any more.
    const page = await served.newPage();
    await page.route('**/api/status', async (route) => {
      const response = await route.fetch();
      const status = statusAnswer.parse(await response.json());
      const statuses = { ...status.statuses, costOptimizationHub: { Unmanaged: 3 } };
      await route.fulfill({ response, json: { ...status, statuses } });
    });
    const { cells } = manyAccounts(3);
    const [first, ...rest] = cells.map((each) => ({ ...each, costOptimizationHub: each.computeOptimizer }));
    const accounts = [first, ...rest.map((each) => ({ ...each, costOptimizationHub: null }))];
    await page.route('**/api/accounts?*', (route) => route.fulfill({ json: accountsPage(accounts, 3) }));
    for (const path of ['/accounts', '/audit']) {
      await page.goto(`${served.url}${path}`);
      await page.getByRole('combobox', { name: 'Enrollment' }).getByText(hub).waitFor({ state: 'attached' });
      expect([path, await offered(page)]).toEqual([path, [...recorded, hub]]);
    }
  });
});
