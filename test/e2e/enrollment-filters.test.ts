import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { accountsPage, manyAccounts } from './many-accounts.ts';
import { useStory } from './story.ts';

const HUB = 'Cost Optimization Hub';
const RECORDED = ['Automation', 'Compute Optimizer'];

const statusAnswer = z.looseObject({ statuses: z.looseObject({}) });
const summaryAnswer = z.looseObject({ enrollments: z.array(z.unknown()) });
const served = await useStory();

const filter = (page: Page) => page.getByRole('combobox', { name: 'Enrollment' });

/** Resolves when the filter offers this enrollment. */
function offers(page: Page, enrollment: string): Promise<void> {
  return filter(page).locator('option', { hasText: enrollment }).waitFor({ state: 'attached' });
}

/** The enrollments that the filter offers, in alphabetical order, without numbers of entries. The first option means any enrollment. */
async function offered(page: Page): Promise<string[]> {
  const [, ...texts] = await filter(page).locator('option').allInnerTexts();
  return texts.map((text) => text.replace(/ \([\d,]+\)$/, '')).toSorted();
}

describe.skipIf(served.skipped)('the enrollment filter of accounts and audit', () => {
  test.each(['/accounts', '/audit'])('offers on %s what is recorded, and one that the address names', async (path) => {
    const page = await served.open(path);
    for (const each of RECORDED) await offers(page, each);
    expect(await offered(page)).toEqual(RECORDED);
    await page.goto(`${served.url}${path}?enrollment=costOptimizationHub`);
    for (const each of [...RECORDED, HUB]) await offers(page, each);
    expect(await offered(page)).toEqual([...RECORDED, HUB].toSorted());
    expect(await filter(page).inputValue()).toBe('costOptimizationHub');
  });

  test('offers on /accounts an enrollment that is in the records, although no policy manages it any more', async () => {
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
    await page.goto(`${served.url}/accounts`);
    await offers(page, HUB);
    expect(await offered(page)).toEqual([...RECORDED, HUB].toSorted());
  });

  test('offers on /audit an enrollment that has entries, although no policy manages it any more', async () => {
    const page = await served.newPage();
    await page.route('**/api/audit/summary*', async (route) => {
      const response = await route.fetch();
      const summary = summaryAnswer.parse(await response.json());
      const enrollments = [...summary.enrollments, { enrollment: 'costOptimizationHub', entries: 1_234 }];
      await route.fulfill({ response, json: { ...summary, enrollments } });
    });
    await page.goto(`${served.url}/audit`);
    await offers(page, `${HUB} (1,234)`);
    expect(await offered(page)).toEqual([...RECORDED, HUB].toSorted());
  });
});
