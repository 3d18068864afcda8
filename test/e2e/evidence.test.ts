import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseLogOrigin } from '../../shared/domain/ledger/log-origin.ts';
import { checkpointInNote } from '../../shared/domain/transparency/checkpoint.ts';
import { parseProof } from '../../shared/domain/transparency/tlog-proof.ts';
import { useStory } from './story.ts';

/* The pages that show what was done and why: audit log, runs and policy. */

const served = await useStory();

describe.skipIf(served.skipped)('the evidence in the dashboard', () => {
  const { open } = served;

  test('exports the last quarter', async () => {
    const page = await open('/');
    // Three months later, the current entries belong to the last quarter.
    const now = new Date();
    await page.clock.setFixedTime(new Date(now.getFullYear(), now.getMonth() + 3, 2));
    await page.goto(`${served.url}/audit`);
    await page.getByRole('combobox', { name: 'Period' }).selectOption({ label: 'Last quarter' });
    await page
      .getByRole('table', { name: /Entries/ })
      .getByRole('row')
      .nth(1)
      .waitFor();
    await page.getByRole('button', { name: 'Export…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'CSV' }).check();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Export', exact: true }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^rollcall-audit-.*\.csv$/);
    const [header = '', ...rows] = (await readFile(await file.path(), 'utf8')).trim().split('\n');
    expect(header).toContain('accountId');
    expect(rows.join('\n')).toContain(served.cooling);
    expect(rows.join('\n')).toContain('GuardrailTripped');
  });

  test('shows one entry in full, and the status at a time', async () => {
    const page = await open('/audit?type=GuardrailTripped&period=all');
    const entries = page.getByRole('table', { name: /Entries/ }).getByRole('row');
    await entries.nth(1).waitFor();
    // The header and one entry.
    expect(await entries.count()).toBe(2);
    const entry = page.getByRole('complementary', { name: 'Entry' });
    await entry.getByText('Content and links match their hashes.').waitFor();
    await entry.getByText('View JSON').click();
    expect(await entry.getByRole('region', { name: 'The entry as JSON' }).innerText()).toContain('GuardrailTripped');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('button', { name: 'Status at a time' }).click();
    // It opens at the present time.
    await page.getByText(/^\d+ enrollments, as recorded at /).waitFor();
    await page.getByLabel('At', { exact: true }).fill('2020-01-01T00:00');
    await page.getByText('Nothing was recorded before that time.').waitFor();
    await page.goto(`${served.url}/audit?at=2099-01-01T00:00`);
    await page.getByText('This time is in the future').waitFor();
  });

  test('filters the audit log by choices and clears the filters in one click', async () => {
    const page = await open('/audit');
    await page.getByRole('combobox', { name: 'Type' }).selectOption('GuardrailTripped');
    const entries = page.getByRole('table', { name: /Entries/ }).getByRole('row');
    await page.getByText(/^1 entry, newest first/).waitFor();
    await entries.nth(2).waitFor({ state: 'detached' });
    expect(await entries.count()).toBe(2);
    expect(new URL(page.url()).searchParams.get('type')).toBe('GuardrailTripped');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await entries.nth(2).waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  test('filters the audit log by the caller that caused the drift', async () => {
    const page = await open('/audit');
    const filter = page.getByRole('combobox', { name: 'Changed by' });
    const unknown = filter.getByRole('option', { name: /^Unknown actor \(/ });
    await unknown.waitFor({ state: 'attached' });
    const drifts = /\((.+)\)/.exec((await unknown.textContent()) ?? '')?.[1];
    await filter.selectOption('unknown');
    await page.getByText(`${drifts} entries, newest first`).waitFor();
    expect(new URL(page.url()).searchParams.get('changedBy')).toBe('unknown');
    await page.getByRole('button', { name: 'Remove the filter Changed by' }).waitFor();
    const types = page.getByRole('table', { name: /Entries/ }).locator('td.type');
    await expect.poll(async () => new Set(await types.allInnerTexts())).toEqual(new Set(['Drift detected']));
  });

  test('says that the audit log is intact once it has been verified', async () => {
    const page = await open('/audit');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText('Intact', { exact: true }).waitFor();
    await page.getByText(/\d entries in \d+ chains verified/).waitFor();
  });

  test('saves the newest signed checkpoint, and the proof of an entry that it covers', async () => {
    const page = await open('/audit?type=GuardrailTripped&period=all');
    const saved = async (name: string) => {
      const button = page.getByRole('button', { name });
      const [file] = await Promise.all([
        page.waitForEvent('download', { timeout: 130_000 }),
        button.click({ timeout: 120_000 }),
      ]);
      return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
    };
    const proof = await saved('Download proof');
    const checkpoint = await saved('Download checkpoint');
    expect(checkpoint.name).toMatch(/^rollcall-checkpoint-\d{4}-\d{2}-\d{2}-\d+\.txt$/);
    const [origin = '', size = ''] = checkpoint.text.split('\n');
    expect(parseLogOrigin(origin)).not.toBeNull();
    await page.getByText(`covers ${size} entries, key `).waitFor();
    expect(proof.name).toMatch(/^proof-[0-9A-Z]{26}\.txt$/);
    expect(checkpointInNote(parseProof(proof.text).checkpoint).origin).toBe(origin);
    await page.getByText(/At index \d+ of the transparency log; a signed checkpoint covers it\./).waitFor();
  });

  test('shows what a run found and why it stopped', async () => {
    const page = await open('/runs');
    const runs = page.getByRole('table', { name: /Runs/ });
    const row = runs.getByRole('row').filter({ hasText: 'Stopped by guardrail' }).last();
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { level: 1, name: /^Run of / }).waitFor();
    await page.getByText('Stopped by guardrail', { exact: true }).waitFor();
    const changed = page.getByRole('table', { name: 'Changes of the run' });
    await changed.getByRole('row').nth(1).waitFor();
    await page.getByRole('searchbox', { name: 'Search changes' }).fill('no such account');
    await page.getByText('No change matches these filters.').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await changed.getByRole('row').nth(1).waitFor();
  });

  test('shows the policy as written, with the number of accounts per rule', async () => {
    const page = await open('/policy');
    const rules = page.getByRole('region', { name: 'Accounts per rule' });
    const row = rules.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'workloads' }) });
    const matched = served.running.sandbox
      .accounts()
      .filter(({ ou }) => ou === '/Workloads' || ou.startsWith('/Workloads/'));
    await row.waitFor();
    expect(await row.innerText()).toContain(`${matched.length}`);
    const source = page.getByRole('region', { name: 'Policy source' });
    expect(await source.getByRole('row').filter({ hasText: 'workloads' }).first().innerText()).toMatch(/^\d+\s/);
  });
});
