import { describe, expect, test } from 'vitest';
import { entriesTable, fullEntriesTable } from '../../../services/cli/ui/entries.ts';
import type { Entry } from '../../../services/cli/ui/entry-words.ts';

/** What every entry of this test has. */
const common = {
  ...{ chain: '111122223333', seq: 1, at: '2026-12-01T09:41:07.000Z', accountId: '111122223333', runId: null },
  ...{ actor: 'arn:aws:iam::999999999999:user/sandbox', before: null, after: null, reason: null, rule: null },
  ...{ policyHash: null, api: null, prevHash: '0'.repeat(64), hash: '1'.repeat(64) },
} as const;
const message = 'ou:/Canary suspended until 2026-12-02 03:35 UTC: load test';
const entries: readonly Entry[] = [
  { ...common, id: '01M8QTRQTKNRJR210E25M5M10F', type: 'AccountSuspended', enrollment: null, detail: { message } },
  {
    ...common,
    ...{ id: '01M8QTPJ39QSTRVHRN679NSFTQ', type: 'RemediationSucceeded', enrollment: 'computeOptimizer' },
    detail: {},
  },
];
const at = (width: number | null): string[] => entriesTable(entries, width, () => 'security-identity-001');

describe('a list of audit log entries', () => {
  test('has columns for enrollment and change only where names, actors and ids are whole', () => {
    for (const width of [80, 100, 110, 120, 130, 140, 160]) {
      const text = at(width).join('\n');
      expect(text.match(/security-identity-001/g), String(width)).toHaveLength(2);
      expect(text.match(/user\/sandbox/g), String(width)).toHaveLength(2);
      expect([text.includes('25M5M10F'), text.includes('679NSFTQ')], String(width)).toEqual([true, true]);
      for (const line of text.split('\n')) expect(line.length, `${width}: ${line}`).toBeLessThanOrEqual(width);
    }
    expect(at(110)[0]).toBe('TIME (UTC)        ID        ACCOUNT                EVENT');
    expect(at(110).join(' ').replace(/\s+/g, ' ')).toContain(message);
    expect(at(140)[0]).toMatch(/^TIME \(UTC\) +ACCOUNT +EVENT +ENROLLMENT +CHANGE +BY +ID$/);
  });

  test('in the wide format, has seconds, account ids, names, full actors and full ids', () => {
    const caller = 'arn:aws:sts::111122223333:assumed-role/Admin/maria.lopez';
    const changedBy = { actor: caller, operation: 'UpdateEnrollmentStatus', at: common.at, requestId: 'r' };
    const drift = { ...common, type: 'DriftDetected', enrollment: 'automation' } as const;
    const [head, ...lines] = fullEntriesTable(
      [
        ...entries,
        { ...drift, id: '01M8QTPJ39QSTRVHRN679NSFTR', detail: { changedBy } },
        { ...drift, id: '01M8QTPJ39QSTRVHRN679NSFTS', detail: null },
      ],
      () => 'security-identity-001',
    );
    expect(head).toMatch(/^TIME \(UTC\) +ACCOUNT +NAME +EVENT +ENROLLMENT +CHANGE +BY +ID$/);
    expect(lines[0]).toMatch(/^2026-12-01 09:41:07 {2}111122223333 {2}security-identity-001 {2}Account suspended /);
    expect(lines[0]).toMatch(/ arn:aws:iam::999999999999:user\/sandbox +01M8QTRQTKNRJR210E25M5M10F$/);
    expect(lines[2]).toMatch(new RegExp(` ${caller} +01M8QTPJ39QSTRVHRN679NSFTR$`));
    expect(lines[3]).toMatch(/ seen by arn:aws:iam::999999999999:user\/sandbox +01M8QTPJ39QSTRVHRN679NSFTS$/);
  });

  test('names the target and the setting of a configuration', () => {
    const configuration = { targetId: 'ou-1', target: '/Sandbox', ruleMode: null };
    const entry = { ...common, id: '01M8QTPJ39QSTRVHRN679NSFTT', enrollment: null } as const;
    const lines = entriesTable(
      [
        { ...entry, type: 'ConfigurationStarted', detail: { configuration } },
        {
          ...entry,
          type: 'ConfigurationEnded',
          detail: { configuration: { ...configuration, ruleMode: 'AnyAllowed' } },
        },
        { ...entry, type: 'ConfigurationEnded', detail: { configuration, message: 'in progress' } },
      ],
      null,
      () => null,
    );
    expect(lines[1]).toContain('/Sandbox: delete  ');
    expect(lines[2]).toContain('/Sandbox: AnyAllowed, accepted by AWS');
    expect(lines[3]).toContain('/Sandbox: delete: in progress');
  });

  test('has every column in full if it is not for a terminal', () => {
    expect(at(null)[1]).toMatch(new RegExp(`Account suspended +${message} +user/sandbox +25M5M10F$`));
  });
});
