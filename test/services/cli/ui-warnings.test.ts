import { expect, test } from 'vitest';
import { deniedRolesLines } from '../../../services/cli/ui/denied-roles.ts';
import { id } from '../../support/changes.ts';

const coverage = { listed: 118, evaluated: 115, unknown: 3, notApplicable: 2 };
const role = (n: number) => ({ accountId: id(n), accountName: `account-${n}` });

test('accounts whose member role cannot be assumed are named, with the fix', () => {
  const deniedRoles = [
    { accountId: '112352966843', accountName: 'dev-borealis-002' },
    { accountId: '146812679013', accountName: 'sandbox-identity-002' },
    { accountId: '172850385215', accountName: 'test-data-001' },
  ];
  expect(deniedRolesLines({ deniedRoles, coverage }, 'RollcallMember', 80)).toEqual([
    'warning: RollcallMember cannot be assumed in 3 of 118 accounts; the run skips',
    '  them: 112352966843 dev-borealis-002, 146812679013 sandbox-identity-002,',
    '  172850385215 test-data-001',
    '  Fix: rollcall doctor shows the command that deploys the role',
  ]);
  expect(deniedRolesLines({ deniedRoles: [], coverage }, 'RollcallMember', 80)).toEqual([]);
});

test('at most ten of these accounts are named', () => {
  const deniedRoles = Array.from({ length: 12 }, (_, n) => role(n));
  const [line = ''] = deniedRolesLines({ deniedRoles, coverage }, 'RollcallMember', null);
  expect(line).toMatch(/ account-9, and 2 more accounts$/);
});
