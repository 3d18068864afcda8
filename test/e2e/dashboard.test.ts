import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../services/api/schemas.ts';
import { hasFocus, nothingLoads } from './page.ts';
import { MARKUP, useStory } from './story.ts';

/* The dashboard in a real Chromium, with the real API, embedded store and sandbox. No test changes the data of another. */

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const served = await useStory();

describe.skipIf(served.skipped)('the dashboard', () => {
  const { open } = served;

  test('explains why the first plan is stopped', async () => {
    const page = await open('/');
    await page.getByText('A guardrail stopped the last run').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Overview');
    await page.getByRole('heading', { name: 'Remediation' }).waitFor();
  });

  test('lists the organization enrollment configurations', async () => {
    const page = await open('/operations');
    const region = page.getByRole('region', { name: 'Organization enrollment configurations' }).first();
    const row = region.getByRole('row', { name: /^\/Sandbox/ });
    expect(await row.innerText()).toMatch(
      /^\/Sandbox\s+ou-\S+\s+NoneAllowed\s+somebody else\s+unmanaged\s+\d+\s+Unmanaged\s*$/,
    );
    await row.getByRole('link', { name: '/Sandbox' }).click();
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
    expect(new URL(page.url()).searchParams.get('ou')).toBe('/Sandbox');
  });

  test('shows why an account is waiting', async () => {
    const page = await open('/accounts');
    const tabs = page.getByRole('navigation', { name: 'Filter by status' });
    await tabs.getByRole('link', { name: 'Waiting' }).click();
    await page.getByRole('combobox', { name: 'Reason' }).selectOption('coolDown');
    await page.getByText(/^1 of \d+ accounts$/).waitFor();
    // The URL alone shows another person the same.
    expect(new URL(page.url()).search).toBe('?status=Waiting&reason=coolDown');
    await page.reload();
    await page.getByText(/^1 of \d+ accounts$/).waitFor();

    const { name } = served.running.sandbox.accounts().find(({ accountId }) => accountId === served.cooling) ?? {
      name: '',
    };
    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    const standing = await page.getByRole('region', { name: 'Status by enrollment' }).innerText();
    expect(standing).toMatch(/Automation\s+Waiting[\s\S]*Next attempt[\s\S]*within 24 hours[\s\S]*Nothing to do/);
    const why = page.getByRole('region', { name: 'Why the policy requires this' });
    expect(await why.getByRole('row', { name: /^Automation/ }).innerText()).toMatch(/Active\s+workloads\s/);
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await timeline.getByText('Account joined').first().waitFor();
    // The exact time on hover.
    expect(await timeline.locator('time').first().getAttribute('title')).toMatch(
      /^\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d UTC$/,
    );
  });

  test('shows account names as text, even with markup', async () => {
    const page = await open(`/accounts?${new URLSearchParams({ q: MARKUP })}`);
    await page.getByRole('link', { name: MARKUP }).click();
    await page.getByRole('heading', { level: 1, name: MARKUP }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
  });

  test('reports a failing API and continues after it recovers', async () => {
    const page = await served.newPage({}, /status of 503/);
    const problem = { status: 503, contentType: 'application/problem+json', body: '{"detail":"The store is locked."}' };
    await page.route('**/api/status', (route) => route.fulfill(problem));
    // Without events, only the button reads the status again.
    await page.route('**/api/events', () => undefined);
    await page.goto(served.url);
    await page.getByRole('alert').getByText('The store is locked.').waitFor();
    await page.unroute('**/api/status');
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Remediation', exact: true }).waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test.each([1440, 390])('reports a failed overview only once, at %d pixels', async (width) => {
    const page = await served.newPage({ viewport: { width, height: 900 } }, /status of 503/);
    const problem = { status: 503, contentType: 'application/problem+json', body: '{"detail":"The store is locked."}' };
    await page.route('**/api/overview', (route) => route.fulfill(problem));
    await page.goto(served.url);
    await page.getByRole('alert').getByText('The overview could not be loaded.').first().waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('shows data that changes faster than the API answers', async () => {
    const page = await served.newPage();
    let told = 0;
    const waiting: { readonly from: number; readonly go: () => void }[] = [];
    await page.route('**/api/events', async (route) => {
      told += 1;
      for (const { from, go } of waiting) if (told - from >= 40) go();
      await route.fulfill({ contentType: 'text/event-stream', body: 'retry: 50\n\nevent: gap\ndata: {}\n\n' });
    });
    // About forty changes arrive between request and answer, so more than one read is requested.
    await page.route('**/api/status', async (route) => {
      await new Promise<void>((go) => waiting.push({ from: told, go }));
      await route.continue();
    });
    await page.goto(served.url);
    await page.getByRole('heading', { name: 'Remediation', exact: true }).waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('a panel without an answer reports it, retries, and shows the next answer', async () => {
    const page = await served.newPage();
    // Shortens the one-minute timeout of the page to three seconds.
    await page.addInitScript(() => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      const later = setTimeout;
      AbortSignal.timeout = (ms) => timeout(ms / 20);
      const setSooner = (run: () => void, ms: number) => later(run, ms === 60_000 ? 3_000 : ms);
      Object.assign(globalThis, { setTimeout: setSooner });
    });
    let [questions, listened] = [0, 0];
    await page.route('**/api/events', async (route) => {
      listened += 1;
      if (listened > 1) await route.continue();
    });
    await page.route('**/api/status', async (route) => {
      questions += 1;
      if (questions > 2) await route.continue();
    });
    await page.goto(served.url);
    await page.getByRole('alert').getByText('Rollcall did not answer within 60 s.').waitFor();
    await page.getByRole('heading', { name: 'Remediation', exact: true }).waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(questions).toBeGreaterThan(2);
    // A silent event stream counts as dead too.
    await page.getByText('Live', { exact: true }).waitFor();
    expect(listened).toBeGreaterThan(1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('requests a new token with the reason when it expires, even from the event stream', async () => {
    const page = await served.newPage({}, /status of 401/);
    await page.addInitScript(() => sessionStorage.setItem('rollcall-token', 'x'.repeat(40)));
    const problem = {
      status: 401,
      contentType: 'application/problem+json',
      body: '{"detail":"The token has expired."}',
    };
    await page.route('**/api/events', (route) => route.fulfill(problem));
    await page.goto(served.url);
    await page.getByRole('dialog').getByRole('alert').getByText('The token has expired.').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('can be used with the keyboard only', async () => {
    const page = await open('/');
    await page.getByRole('heading', { name: 'Remediation' }).waitFor();
    await page.keyboard.press('Tab');
    await hasFocus(page.getByRole('link', { name: 'Skip to content' }));
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await hasFocus(page.getByRole('button', { name: 'Scan now' }));
    await page.getByRole('link', { name: 'Accounts', exact: true }).press('Enter');
    // Focus moves to the heading of a new page.
    await hasFocus(page.getByRole('heading', { level: 1, name: 'Accounts' }));
  });

  const addressOf = async (path: string): Promise<string> => {
    if (path === '/account') return `${path}?id=${served.cooling}`;
    if (path !== '/run') return path;
    const answer: unknown = await (await fetch(`${served.url}/api/runs?limit=1`)).json();
    const [run] = SCHEMAS.Runs.parse(answer).runs;
    return `${path}?id=${run?.runId}`;
  };
  /** Analyses one page in both colour schemes, because the dark one changes only colours. */
  const axeFindsNothing = async (page: Page): Promise<void> => {
    // Legacy mode analyses only frames of the same origin, and the dashboard has no frames. The other mode opens a second page for each analysis.
    const axe = () => new AxeBuilder({ page }).setLegacyMode();
    const light = await axe().withTags(TAGS).analyze();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.evaluate('Promise.all(document.getAnimations().map((each) => each.finished)).then(() => null)');
    const dark = await axe().withRules(['color-contrast']).analyze();
    const found = [...light.violations, ...dark.violations];
    expect(found.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
  };

  describe('in light and in dark', () => {
    test.each([
      ['/', 'Remediation'],
      ['/operations', 'Rate limit'],
      ['/accounts', 'Accounts'],
      ['/account', 'Timeline'],
      ['/audit?type=GuardrailTripped&period=all', 'Guardrail tripped'],
      ['/runs', 'Runs'],
      ['/run', / changes in /],
      ['/audit?at=2099-01-01T00:00&status=Waiting', 'Audit log'],
      ['/policy', 'Accounts per rule'],
    ])('axe finds nothing in %s', async (path, heading) => {
      const page = await open(await addressOf(path), { colorScheme: 'light' });
      await page.getByRole('heading', { name: heading, exact: true }).first().waitFor();
      await nothingLoads(page);
      await axeFindsNothing(page);
    });
    test('axe finds nothing in confirmation dialogs', async () => {
      const page = await open('/', { colorScheme: 'light' });
      await page.getByRole('button', { name: 'Suspend…' }).click();
      await page.getByRole('dialog').getByLabel('Reason').waitFor();
      await axeFindsNothing(page);
    });
  });

  test('fits a narrow screen without horizontal scrolling', async () => {
    const page = await open('/', { viewport: { width: 360, height: 720 } });
    await page.getByRole('heading', { name: 'Remediation' }).waitFor();
    const right = await page.getByRole('heading', { name: 'Compliance', exact: true }).boundingBox();
    expect((right?.x ?? 0) + (right?.width ?? 0)).toBeLessThanOrEqual(360);
    for (const path of [
      '/',
      '/accounts',
      '/account',
      '/audit',
      '/audit?view=as-of',
      '/runs',
      '/run',
      '/policy',
      '/operations',
    ]) {
      await page.goto(`${served.url}${await addressOf(path)}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await nothingLoads(page);
      expect(await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth), path).toBe(360);
    }
  });
});
