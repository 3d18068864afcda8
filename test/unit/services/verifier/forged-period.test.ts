import { strFromU8 } from 'fflate';
import { describe, expect, test } from 'vitest';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { evidence, failed, PERIOD, stateOf, verified } from './bed.ts';

type Files = Parameters<Parameters<typeof tampered>[1]>[0];

/** Removes entries by their index in the log. */
function keep(files: Files, isKept: (index: number) => boolean): void {
  const indexes = strFromU8(files['entries-index.txt'] ?? expect.fail()).split('\n');
  const kept = (text: string): string =>
    text
      .split('\n')
      .filter((_, at) => indexes[at] === '' || isKept(Number(indexes[at])))
      .join('\n');
  edit(files, 'entries.ndjson', kept);
  edit(files, 'entries-index.txt', kept);
}

describe('a checkpoint has no time under its signature', () => {
  test('so an earlier one does not show the end of the period', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, (files) => {
      edit(files, 'evidence.json', (text) => text.replace('"to": 410', '"to": 9'));
      keep(files, (index) => index < 9);
    });
    const complete = stateOf(await verified(forged, key), 'complete');
    expect(complete).toMatchObject({ state: 'limited' });
    expect(complete?.message).toContain('so entries from then to the end of the period, 2026-03-02 12:00:00 UTC, may');
  });

  test('so a later one does not show the beginning of the period', async () => {
    const { zip, key, names } = await evidence();
    const name = names.find((each) => each.endsWith('-9.txt')) ?? expect.fail();
    const forged = tampered(zip, (files) => {
      edit(files, 'evidence.json', (text) => {
        const stated: { checkpoints: { size: number; at: string }[]; complete: { from: number } } = JSON.parse(text);
        for (const each of stated.checkpoints) if (each.size === 9) each.at = '2026-02-28T00:00:00.000Z';
        stated.complete.from = 9;
        return JSON.stringify(stated);
      });
      keep(files, (index) => index >= 9);
    });
    expect(stateOf(await verified(forged, key), 'complete')).toMatchObject({
      state: 'limited',
      message: `No entry shows that ${name} is older than the period, so entries at its beginning may be missing.`,
    });
  });
});

test('a size that somebody made up does not keep the page busy', async () => {
  const { zip, key } = await evidence();
  const most = String(Number.MAX_SAFE_INTEGER);
  const forged = tampered(zip, (files) => {
    edit(files, 'log/checkpoint', (text) => text.replace('\n410\n', `\n${most}\n`));
    edit(files, 'evidence.json', (text) => text.replaceAll('410', most));
  });
  expect(failed(await verified(forged, key))).toContain('log/checkpoint was changed after it was signed');
});

test.each([
  ['another time zone', PERIOD.since, PERIOD.since.replace('Z', '+00:00'), 'a period of another form'],
  ['a word', PERIOD.until, 'later', 'a period of another form'],
  ['the end first', PERIOD.until, '2025-01-01T00:00:00.000Z', 'a period that ends before it begins'],
  ['another organization', '"o-test"', '"o-production"', 'is of the organization "o-production"'],
])('evidence.json with %s', async (_, from, to, message) => {
  const { zip, key } = await evidence();
  const forged = tampered(zip, (files) => edit(files, 'evidence.json', (text) => text.replace(from, to)));
  expect(failed(await verified(forged, key))).toContain(message);
});

test.each([
  ['approvals.json', (text: string) => text.replace('alice', 'bob')],
  ['policies/index.json', (text: string) => text.replace('"actor": "', '"actor": "x')],
])('%s edited', async (name, change) => {
  const { zip, key } = await evidence();
  const forged = tampered(zip, (files) => edit(files, name, change));
  expect(failed(await verified(forged, key))).toBe(`${name} differs from the entries.`);
});

test('files that cannot be computed again are named', async () => {
  const { zip, key } = await evidence();
  expect((await verified(zip, key)).notVerified).toEqual([
    ...['exemptions.json', 'report.json', 'accounts-at-start.csv', 'accounts-at-end.csv'],
    ...['oscal-assessment-results.json', 'README.txt', 'verify.html'],
  ]);
});
