import { describe, expect, test } from 'vitest';
import { bed, DAY_B } from './bed.ts';

describe.each([80, 120])('at %i columns', (columns) => {
  test('day A has 107 changes to 72 accounts; on day B everything complies', async () => {
    const at = await bed(columns);
    expect(await at.type('plan --out plan.json')).toMatchObject({ code: 2 });
    const applied = await at.type('apply --plan plan.json', 'y');
    expect(applied.code, applied.screen).toBe(0);
    at.clock.advanceTo(DAY_B);
    expect(await at.type('plan')).toMatchObject({ code: 0 });
    expect(at.transcript).toContain('107 of 107 changes confirmed, 0 failed');
  });
});
