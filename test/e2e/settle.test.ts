import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SCHEMAS } from '../../services/api/schemas.ts';
import { CHILD_ENV, childFile } from '../support/children.ts';
import { recorded } from '../support/cloud-trail-events.ts';
import { watched } from './page.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';
import { browserOrReason } from './story.ts';

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
guardrails: { maxChanges: { percent: 100, atLeast: 100 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
const SYNC = 'arn:aws:sts::444455556666:assumed-role/rule-mode-sync/1733061732';
const PATIENCE = { timeout: 30_000, interval: 200 };

const browser = await browserOrReason();

describe.skipIf(typeof browser === 'string')('a contested account', () => {
  let served: ServedSandbox;
  let contested: readonly string[] = [];

  const post = (path: string, body: unknown) =>
    fetch(`${served.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const accounts = async (filter: string) => {
    const answer = await fetch(`${served.url}/api/accounts?limit=1000&${filter}`);
    return SCHEMAS.Accounts.parse(await answer.json());
  };
  const isCompliant = async (): Promise<boolean> => {
    const { counts } = await accounts('enrollment=computeOptimizer');
    return counts.Compliant > 0 && counts.Drifted + counts['In progress'] + counts.Waiting === 0;
  };

  /** Somebody opts out, CloudTrail reports it, and Rollcall reads the accounts. */
  const revert = async (): Promise<void> => {
    const { sandbox } = served.running;
    const changes = contested.map((accountId) => {
      return { accountId, enrollment: 'computeOptimizer' as const, status: 'Inactive' as const };
    });
    sandbox.drift({ changes });
    for (const [index, account] of contested.entries()) {
      const requestId = `by-sync-${index}-${Date.now()}`;
      const options = { account, at: Date.now(), actor: SYNC, requestId };
      await post('/api/events', recorded('compute-optimizer.amazonaws.com', 'UpdateEnrollmentStatus', options));
    }
    await post('/api/check', { accounts: contested });
  };

  beforeAll(async () => {
    served = await openServedSandbox({
      sandbox: { accounts: 12, drift: 0, seed: 3, configurationDelayMs: 0 },
      policy: POLICY,
      cli: { file: childFile('cli'), env: CHILD_ENV },
    });
    await vi.waitFor(async () => expect(await isCompliant()).toBe(true), PATIENCE);
    const { accounts: members } = await accounts('enrollment=computeOptimizer&accountStatus=Compliant&ou=/Workloads');
    contested = members.slice(0, 2).map(({ accountId }) => accountId);
    const entries = async (type: string) => {
      const answer = await fetch(`${served.url}/api/audit?limit=100&type=${type}`);
      return SCHEMAS.AuditPage.parse(await answer.json()).entries.length;
    };
    for (const round of [1, 2]) {
      await revert();
      await vi.waitFor(async () => expect(await entries('DriftResolved')).toBe(2 * round), PATIENCE);
    }
    await revert();
    await vi.waitFor(async () => expect(await entries('FlapDetected')).toBe(2), PATIENCE);
  }, 120_000);
  afterAll(async () => {
    await served?.close();
    if (typeof browser !== 'string') await browser.close();
  });

  const open = async (path: string) => {
    if (typeof browser === 'string') throw new Error(browser);
    const page = await watched(browser, served.url);
    await page.goto(`${served.url}${path}`);
    return page;
  };

  test('is listed with the actor, and its page says who reverted it and offers three ways to settle it', async () => {
    const page = await open('/accounts');
    const row = page.getByRole('region', { name: 'Accounts', exact: true }).getByRole('row').nth(1);
    await row.getByText('Contested: reverted 3 times by rule-mode-sync').waitFor();
    await row.getByRole('link').click();
    const settle = page.getByRole('region', { name: 'Compute Optimizer is contested' });
    await settle.getByText(/was reverted to Inactive 3 times in 24 hours by rule-mode-sync/).waitFor();
    await settle.getByText('(role in account 444455556666)').waitFor();
    await settle.getByText('Change the policy').click();
    await settle.getByLabel(/^Reason/).fill('the owner "decided"');
    expect(await settle.locator('pre').innerText()).toMatch(
      /^exemptions:\n {2}- accounts: \["\d{12}"\]\n {4}enrollment: computeOptimizer\n {4}until: \d{4}-\d\d-\d\d\n {4}reason: "the owner \\"decided\\""\n/,
    );
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }))).toEqual([]);
  });

  test('is settled with all others of the same actor; the reason is in the audit log, and remediation goes on', async () => {
    const [id = ''] = contested;
    const page = await open(`/account?id=${id}`);
    const settle = page.getByRole('region', { name: 'Compute Optimizer is contested' });
    await settle.getByRole('button', { name: 'Settle all 2 from rule-mode-sync…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('listitem').nth(1).waitFor();
    expect(await dialog.getByRole('listitem').count()).toBe(2);
    await dialog.getByLabel('Reason').fill('job removed');
    await dialog.getByRole('button', { name: 'Resume remediation in 2 accounts' }).click();
    await page.locator('main').getByText('Remediation is resumed in 2 accounts.').waitFor();
    await settle.waitFor({ state: 'detached' });
    await page
      .getByRole('region', { name: 'Timeline' })
      .getByText(/operator has resumed it: job removed/)
      .first()
      .waitFor();
    await vi.waitFor(async () => expect(await isCompliant()).toBe(true), PATIENCE);
  });
});
