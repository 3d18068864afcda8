import type {
  AccountId,
  ConfigurationTarget,
  OrganizationConfiguration,
  RuleMode,
} from '../../shared/domain/enrollment/model.ts';
import type { Configurations } from '../../shared/ports/cloud.ts';
import type { WireCall } from './memory-cloud.ts';

interface ConfiguredWorld {
  make<T>(call: WireCall, effect: () => T): Promise<T>;
  configure(accountId: AccountId, ruleMode: RuleMode): void;
  associate(accountId: AccountId, ruleMode: RuleMode): void;
}

/** Configurations are stored. Only one of an account has an effect there: this cloud does not know the OUs of its accounts by id. */
export function memoryConfigurations(world: ConfiguredWorld): Configurations {
  const stored = new Map<string, OrganizationConfiguration>();
  const list = {
    operation: 'ListOrganizationEnrollmentConfigurations',
    accountIds: [],
    clientToken: null,
    status: null,
  };
  const change = (operation: string, { type, id }: ConfigurationTarget, token: string, act: () => void) => {
    const accountIds = type === 'account' ? [id] : [];
    const effect = () => {
      act();
      return { requestId: 'request-1' };
    };
    return () => world.make({ operation, accountIds, clientToken: token, status: null }, effect);
  };
  return {
    list: () => world.make(list, () => [...stored.values()]),
    preparePut: async (target, ruleMode, token) =>
      change('PutOrganizationEnrollmentConfiguration', target, token, () => {
        stored.set(target.id, { target, ruleMode });
        if (target.type === 'account') world.configure(target.id, ruleMode);
      }),
    prepareDelete: async (target, token) =>
      change('DeleteOrganizationEnrollmentConfiguration', target, token, () => {
        stored.delete(target.id);
        if (target.type === 'account') world.associate(target.id, 'NoneAllowed');
      }),
  };
}
