import { expect } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { as, automation } from './support.ts';

export const MINUTE_MS = 60_000;
/** No change of a configuration takes longer. */
export const APPLIED_MS = 5 * MINUTE_MS;

/** The id of an OU, by its name. */
export function unit(running: RunningSandbox, name: string): string {
  const found = running.sandbox.organizationalUnits().find((each) => each.name === name);
  if (found === undefined) throw new Error(`The sandbox has no OU ${name}`);
  return found.id;
}

export const targetOf = (id: string) => (/^\d/.test(id) ? { accountId: id } : { organizationalUnitId: id });

export const put = (running: RunningSandbox, id: string, organizationRuleMode: string, caller?: string) =>
  automation(
    running,
    'PutOrganizationEnrollmentConfiguration',
    { target: targetOf(id), organizationRuleMode },
    caller === undefined ? undefined : as(caller),
  );

export const remove = (running: RunningSandbox, id: string) =>
  automation(running, 'DeleteOrganizationEnrollmentConfiguration', {
    ...{ target: targetOf(id), configurationTypes: ['OrganizationRuleMode'] },
  });

/** Stores a configuration and waits until it is in effect. */
export async function configured(running: RunningSandbox, id: string, mode: string): Promise<void> {
  expect(await put(running, id, mode)).toMatchObject({ status: 200, body: {} });
  running.clock.advance(APPLIED_MS);
}
