import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';

/** All checks of `doctor`, in the order in which they are shown. */
export const CHECKS = [
  'policy',
  'network',
  'region',
  'credentials',
  'organization',
  'delegatedAdministrator',
  'trustedAccess',
  ...ENROLLMENT_IDS,
  'serviceLinkedRoles',
  'organizationConfigurations',
  'memberRole',
  'dataDirectory',
  'database',
  'writeAheadLog',
  'disk',
  'table',
  'clock',
  'queue',
  'storeOrganization',
  'enforcement',
  'bus',
  'outbox',
  'checkpointKey',
  'checkpointArchive',
  'checkpoints',
] as const;
export type CheckId = (typeof CHECKS)[number];
