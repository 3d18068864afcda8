import { describe, expect, it } from 'vitest';
import { adoption, monthly, PRICES, report, SIZES, USUAL } from '../../infra/costs.ts';
import { read } from './template.ts';

describe('what it costs', () => {
  it('is in the manual as it is computed', () => {
    const manual = read('docs/deploy.md');
    const tables = report();
    expect(manual).toContain(tables.monthly);
    expect(manual).toContain(tables.adoption);
    expect(manual).toContain(`as of ${PRICES.date}`);
  });

  it('grows with accounts, scans and drift, and its parts add up', () => {
    for (const make of [monthly, adoption]) {
      const bills = SIZES.map((accounts) => make({ ...USUAL, accounts }));
      for (const { lines, total } of bills) {
        expect(Object.values(lines).every((line) => line >= 0)).toBe(true);
        expect(Object.values(lines).reduce((all, line) => all + line, 0)).toBeCloseTo(total, 10);
      }
      expect(bills.map(({ total }) => total)).toEqual(bills.map(({ total }) => total).sort((a, b) => a - b));
    }
    const usual = monthly({ ...USUAL, accounts: 1_000 }).total;
    expect(monthly({ ...USUAL, accounts: 1_000, scansPerMonth: 2_880 }).total).toBeGreaterThan(usual);
    expect(monthly({ ...USUAL, accounts: 1_000, driftPerMonth: 0.5 }).total).toBeGreaterThan(usual);
  });

  it('counts the alarms that there are', () => {
    const alarms = read('infra/alarms.yml').match(/Type: AWS::CloudWatch::Alarm/g)?.length;
    expect(read('infra/costs.ts')).toContain(`const ALARMS = ${alarms};`);
  });
});
