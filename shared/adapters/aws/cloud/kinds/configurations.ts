import * as z from 'zod';
import type { ConfigurationTarget, OrganizationConfiguration, RuleMode } from '../../../../domain/enrollment/model.ts';
import {
  DeleteOrganizationEnrollmentConfigurationCommand,
  ListOrganizationEnrollmentConfigurationsCommand,
  PutOrganizationEnrollmentConfigurationCommand,
} from '../automation-client/index.ts';
import { type Answered, checked, isRuleMode, pageToken } from '../responses.ts';
import { requestsTo, type WireRequest } from './driver.ts';

/** The largest page that AWS allows, which is also its default [API_automation_ListOrganizationEnrollmentConfigurations]. */
export const CONFIGURATIONS_PER_PAGE = 1000;

interface ConfigurationPage {
  readonly items: readonly OrganizationConfiguration[];
  readonly nextToken: string | null;
  /** Types of target that this version does not know, one for each configuration that is left out. */
  readonly unknownTypes: readonly string[];
}

const page = z.object({
  organizationEnrollmentConfigurations: z.array(
    z.object({
      targetId: z.string().min(1),
      targetType: z.string(),
      organizationRuleMode: z.string().nullish().catch(null),
    }),
  ),
  nextToken: pageToken,
});
const TARGET_TYPES: ReadonlyMap<string, ConfigurationTarget['type']> = new Map([
  ['Account', 'account'],
  ['OrganizationalUnit', 'organizationalUnit'],
]);
const request = requestsTo('aco-automation');

/** How AWS lists and changes organization enrollment configurations. Like the drivers of the kinds, it only builds requests and interprets answers. */
export const configurationDriver = {
  list: (nextToken: string | null): WireRequest =>
    request(
      'ListOrganizationEnrollmentConfigurations',
      { maxResults: CONFIGURATIONS_PER_PAGE, ...(nextToken !== null && { nextToken }) },
      ({ automation }, input) => automation.send(new ListOrganizationEnrollmentConfigurationsCommand(input)),
    ),

  /** @throws CloudError `UnexpectedAnswer` */
  parsePage(answer: unknown, answered: Answered): ConfigurationPage {
    const { organizationEnrollmentConfigurations: found, nextToken } = checked(page, answer, answered);
    const items: OrganizationConfiguration[] = [];
    const unknownTypes: string[] = [];
    for (const { targetId: id, targetType, organizationRuleMode: mode } of found) {
      const type = TARGET_TYPES.get(targetType);
      if (type === undefined) unknownTypes.push(targetType);
      else items.push({ target: { type, id }, ruleMode: mode != null && isRuleMode(mode) ? mode : null });
    }
    return { items, nextToken: nextToken || null, unknownTypes };
  },

  put: (target: ConfigurationTarget, organizationRuleMode: RuleMode, clientToken: string): WireRequest =>
    request(
      'PutOrganizationEnrollmentConfiguration',
      { target: wireTarget(target), organizationRuleMode, clientToken },
      ({ automation }, input) => automation.send(new PutOrganizationEnrollmentConfigurationCommand(input)),
    ),

  delete: (target: ConfigurationTarget, clientToken: string): WireRequest =>
    request(
      'DeleteOrganizationEnrollmentConfiguration',
      { target: wireTarget(target), configurationTypes: ['OrganizationRuleMode' as const], clientToken },
      ({ automation }, input) => automation.send(new DeleteOrganizationEnrollmentConfigurationCommand(input)),
    ),
};

function wireTarget({ type, id }: ConfigurationTarget) {
  return type === 'account' ? { accountId: id } : { organizationalUnitId: id };
}
