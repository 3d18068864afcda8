import { describe, expect, it } from 'vitest';
import { governingConfiguration } from '../../../../shared/domain/enrollment/governing-configuration.ts';

const UNNAMED = { type: 'configuration', targetId: null } as const;
const ON_OU = { type: 'inherited', targetId: 'ou-1' } as const;

describe('the configuration that governs an account, read from the account itself', () => {
  it('has the name in the record while the rule mode is the same', () => {
    const known = { ruleMode: 'AnyAllowed', ruleModeSource: ON_OU } as const;
    expect(governingConfiguration({ ruleMode: 'AnyAllowed', ruleModeSource: UNNAMED }, known)).toEqual(ON_OU);
  });

  it('has no name if the rule mode differs, because it is another configuration or a changed one', () => {
    const known = { ruleMode: 'AnyAllowed', ruleModeSource: ON_OU } as const;
    expect(governingConfiguration({ ruleMode: 'NoneAllowed', ruleModeSource: UNNAMED }, known)).toEqual(UNNAMED);
  });
});
