import { describe, expect, test } from 'vitest';
import { hasFocus } from './page.ts';
import { useStory } from './story.ts';

/* The actions of an operator in the dashboard, in sequence on one organization. */

const served = await useStory();

describe.skipIf(served.skipped)('in the dashboard', () => {
  const open = (path: string, refusals?: RegExp) => served.open(path, {}, refusals);

  test('a person approves a stopped plan and watches the run live', async () => {
    const watching = await open('/');
    await watching.getByText('Live', { exact: true }).waitFor();
    const badge = watching.getByRole('navigation', { name: 'Main' }).getByText('run stopped by a guardrail');
    await badge.waitFor({ state: 'attached' });
    const page = await open('/');
    await page.getByRole('link', { name: 'Review plan' }).click();
    await page.getByRole('region', { name: 'Why the run stopped' }).waitFor();
    await page.getByRole('button', { name: 'Approve plan…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/within 24 hours/).waitFor();
    // Nothing happens without a reason, and Escape cancels.
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await hasFocus(page.getByRole('button', { name: 'Approve plan…' }));
    await page.getByRole('button', { name: 'Approve plan…' }).click();
    // Another person is about to approve the same plan.
    const late = await open('/', /status of 409/);
    await late.getByRole('button', { name: 'Approve plan…' }).click();
    await late.getByRole('dialog').getByLabel('Reason').fill('me too');

    await dialog.getByLabel('Reason').fill('change 4711');
    await dialog.getByRole('button', { name: 'Approve plan' }).click();
    await page.locator('main').getByText('Plan approved').waitFor();
    // Their dialog stays open, although the page has nothing left to approve.
    await late.locator('main').getByText('Approve plan…', { exact: true }).waitFor({ state: 'detached' });
    await late.getByRole('dialog').getByRole('button', { name: 'Approve plan' }).click();
    await late.getByRole('dialog').getByRole('alert').waitFor();

    // The page of another person, without interaction.
    const latest = watching.getByRole('region', { name: 'Recent activity' });
    await latest
      .getByText(/change accepted by AWS|drift resolved/)
      .first()
      .waitFor();
    await watching.getByText('A guardrail stopped the last run').waitFor({ state: 'detached' });
    const { sandbox } = served.running;
    await expect
      .poll(
        () => sandbox.accounts().filter((each) => each.state === 'ACTIVE' && each.computeOptimizer.status !== 'Active'),
        { timeout: 20_000 },
      )
      .toEqual([]);
    await watching.getByRole('article').filter({ hasText: 'Compute Optimizer' }).getByText('100%').waitFor();
  });

  test('an approval stays visible with its approver and reason', async () => {
    const page = await open('/runs');
    await page.getByRole('region', { name: 'All runs' }).getByRole('link').last().click();
    await page.getByText('Approved', { exact: true }).waitFor();
    await page.getByText('change 4711').waitFor();
    await page.getByRole('link', { name: 'View the run that made the changes' }).click();
    await page.getByText('Approved plan', { exact: false }).first().waitFor();
    await page.getByRole('region', { name: 'Changes' }).getByText('Succeeded').first().waitFor();
    await page.goBack();
    expect(await page.getByRole('button', { name: 'Approve plan…' }).count()).toBe(0);
  });

  test('a person suspends an OU and resumes it', async () => {
    const page = await open('/', /status of 400/);
    await page.getByRole('button', { name: 'Suspend…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Accounts').fill('ou:');
    await dialog.getByLabel('Reason').fill('migration');
    await dialog.getByRole('button', { name: 'Suspend' }).click();
    // Invalid input is reported and kept in the field.
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Accounts').fill('ou:/Sandbox');
    await dialog.getByRole('button', { name: 'Suspend' }).click();
    const notice = page.getByText('Suspended: ou:/Sandbox', { exact: true });
    await notice.waitFor();

    await page.goto(`${served.url}/accounts?status=Suspended`);
    const there = served.running.sandbox
      .accounts()
      .filter(({ ou, state }) => ou.startsWith('/Sandbox') && state === 'ACTIVE');
    await page.getByText(new RegExp(`^${there.length} of \\d+ accounts?$`)).waitFor();

    await page.goto(served.url);
    await page.getByRole('button', { name: 'Suspend…' }).click();
    await dialog.getByLabel('Accounts').fill('ou:/Sandbox');
    await dialog.getByLabel('Reason').fill('longer');
    await dialog.getByRole('button', { name: 'Suspend' }).click();
    await page
      .locator('main')
      .getByText(/^Suspended\. It replaces a suspension without an end \(set .* UTC by .*: "migration"\)\.$/)
      .waitFor();
    await page.getByRole('button', { name: 'Resume…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await notice.waitFor({ state: 'detached' });
  });

  test('a person halts all changes, sees that a scan changes nothing, and resumes', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Halt remediation…' }).click();
    // Neither an invalid time nor a long address may break the page.
    const reason = `incident 7 of 2026-02-40T25:00:00Z, https://example.com/${'x'.repeat(100)}`;
    await page.getByRole('dialog').getByLabel('Reason').fill(reason);
    // The first request gets no answer: the button is enabled again, with the reason. The one-minute timeout takes three seconds here.
    await page.evaluate(() => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (ms) => timeout(ms / 20);
    });
    await page.route('**/api/halt', () => undefined, { times: 1 });
    await page.getByRole('dialog').getByRole('button', { name: 'Halt remediation' }).click();
    await page.getByRole('dialog').getByText('within 60 s. The command may have taken effect anyway.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Halt remediation' }).click();
    await page.getByText('incident 7').first().waitFor();
    await page.getByRole('region', { name: 'Recent activity' }).getByText('of 2026-02-40T25:00:00Z').waitFor();
    const size = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 900 });
    expect(await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth)).toBe(390);
    if (size !== null) await page.setViewportSize(size);
    const { sandbox } = served.running;
    const { accountId = '' } =
      sandbox.accounts().find(({ ou, state }) => ou === '/Sandbox' && state === 'ACTIVE') ?? {};
    sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    await page.getByRole('button', { name: 'Scan now' }).click();
    await page.getByRole('dialog').getByText('changes nothing until you resume').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Scan now' }).click();
    await page.getByText('1 change is held').waitFor();
    const remediation = page.getByRole('region', { name: 'Remediation' });
    await remediation.getByText('Halted', { exact: true }).waitFor();
    // One enrollment is held, another waits for its cool-down whether changes are halted or not.
    await remediation.getByRole('row', { name: 'Held until you resume 1', exact: true }).waitFor();
    await remediation.getByRole('row', { name: 'Waiting, not due yet 1', exact: true }).waitFor();
    expect(sandbox.accounts().find((each) => each.accountId === accountId)?.computeOptimizer.status).toBe('Inactive');
    await page.getByRole('button', { name: 'Resume remediation…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume remediation' }).click();
    await page.getByRole('button', { name: 'Halt remediation…' }).waitFor();
  });
});
