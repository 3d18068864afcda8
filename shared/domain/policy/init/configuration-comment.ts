import { configurationText } from '../../enrollment/governing-configuration.ts';
import { ASSOCIABLE, TITLES } from '../../enrollment/kinds/index.ts';
import type { OrganizationConfiguration } from '../../enrollment/model.ts';
import { jsonAscii } from '../../text.ts';
import type { OrganizationAccount } from '../types.ts';

/** Lines of `organization` that name the organization enrollment configurations; none if there are no configurations. */
export function configurationComment({
  configurations = [],
  accounts,
}: {
  readonly configurations?: readonly OrganizationConfiguration[] | null;
  readonly accounts: readonly OrganizationAccount[];
}): readonly string[] {
  if (configurations === null) return ['# The organization enrollment configurations could not be listed.', OBSERVE];
  if (configurations.length === 0) return [];
  return [
    `# Organization enrollment configurations set the rule mode and keep ${TITLES[ASSOCIABLE]} enabled, for later joiners too:`,
    ...configurations.map((each) => `# - ${jsonAscii(JSON.stringify(configurationText(each, accounts)))}`),
    '# `observe` changes none of them. `manage` would store more where that saves calls; it replaces or deletes these',
    '# only after `rollcall approve`.',
    OBSERVE,
  ];
}

const OBSERVE = 'automationConfigurations: observe';
