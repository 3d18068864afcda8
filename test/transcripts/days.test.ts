import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bed, DAY_B } from './bed.ts';

/** Pages of exact text. To renew them after an intended change: `npx vitest run test/transcripts -u`; then look at the difference. */
const page = (name: string, columns: number): string => join(import.meta.dirname, 'pages', `${name}-${columns}.txt`);

describe.each([80, 120])('at %i columns', (columns) => {
  test('from doctor to the first scan, and doctor with two problems', async () => {
    const at = await bed(columns);
    at.remove('rollcall.yaml');
    await at.type('doctor');
    await at.type('policy init');
    await at.type('scan');
    await at.type('doctor');
    const { sandbox } = at.running;
    sandbox.setTrustedAccess(false);
    sandbox.setFaults([{ operation: 'AssumeRole', kind: 'denied' }]);
    await at.type('doctor');
    // The sample of accounts is random.
    const masked = at.transcript.replaceAll(/\b(?!801877072919)\d{12}\b/g, '111122223333');
    await expect(masked).toMatchFileSnapshot(page('first-look', columns));
  });

  test('from 107 drifts on day A to compliance on day B', async () => {
    const at = await bed(columns);
    await at.type('plan');
    await at.type('plan --out plan.json');
    await at.type('plan --out plan.json');
    await at.type('apply', 'y');
    await at.type('apply --plan plan.json', 'n');
    await at.type('apply --plan plan.json', 'y');
    at.clock.advanceTo(DAY_B);
    await at.type('plan');
    await at.type('apply', 'y');
    await expect(at.transcript).toMatchFileSnapshot(page('first-apply', columns));
  });
});
