import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dayC, NAMED } from './day-c.ts';

const page = (name: string, columns: number): string => join(import.meta.dirname, 'pages', `${name}-${columns}.txt`);

/** Ids of entries and requests, hashes, cursors, the name of the user, and times to the millisecond differ between two runs. */
function masked(transcript: string): string {
  return transcript
    .replace(/:\d\d\.\d{3}Z/g, ':NN.NNNZ')
    .replace(/ {2}[0-9A-HJKMNP-TV-Z]{8}(?= {2}|$)/gm, '  NNNNNNNN')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'NNNNNNNN-NNNN-NNNN-NNNN-NNNNNNNNNNNN')
    .replace(/--cursor \S+/g, '--cursor NNN')
    .replace(/\buser\/[^\s:)]+/g, 'user/NAME')
    .replace(/\([0-9a-f]{12}\)/g, '(NNNNNNNNNNNN)')
    .replace(/\bSHA-256 [0-9a-f]{64}$/gm, 'SHA-256 N');
}

describe.each([80, 120])('day C at %i columns', (columns) => {
  test('every day: status, accounts, one account, audit log, suspend and halt', async () => {
    const on = await dayC(columns);
    expect(await on.type('status')).toMatchObject({ code: 2 });
    await on.type('accounts');
    await on.type('accounts --ou /Workloads --status drifted,waiting -o wide');
    await on.type('accounts --name prod-search-003 --kind automation -o csv');
    await on.type('accounts --status needs-attention -o name');
    for (const id of [NAMED.denied, NAMED.contested, NAMED.coolDown, NAMED.both])
      await on.type(`account ${id} --limit 4`);
    await on.type('audit list --type DriftDetected --limit 4');
    expect(await on.type('audit verify')).toMatchObject({ code: 0 });
    await on.type('evidence --since 2026-12-01 --until 2026-12-08 --out week.zip');
    await on.type('evidence --since 2026-12-01 --until 2026-12-08 --out week.zip');
    await on.type('suspend ou:/Canary --until 2026-12-11 --reason load-test');
    await on.type('resume ou:/Canary');
    await on.type('resume');
    await on.type('halt --reason invoice');
    await on.type('status');
    await on.type('resume', 'n');
    await on.type('resume', 'y');
    await on.type('dlq list');
    await expect(masked(on.transcript)).toMatchFileSnapshot(page('every-day', columns));
  }, 400_000);
});
