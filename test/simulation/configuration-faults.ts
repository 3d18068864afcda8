import type { Fault } from './fault.ts';

const ASSESSMENT = 'shared/domain/decision/assess-mismatch.ts';
const PLANNED = 'shared/app/plan/planned-configurations.ts';

/** Faults of organization enrollment configurations. */
export const CONFIGURATION_FAULTS: readonly Fault[] = [
  {
    name: 'covered-account-in-batch',
    breaks: 'a batch with an account to which a configuration applies, so that AWS rejects it for all (invariant 5)',
    edits: [
      {
        file: ASSESSMENT,
        find: 'const governing = governingConfiguration(observation, condition);',
        replace: 'const governing = condition === undefined ? governingConfiguration(observation, null) : null;',
      },
    ],
  },
  {
    name: 'covered-account-opted-out',
    breaks: 'a request to disable Automation while a configuration keeps it enabled (invariant 5)',
    edits: [
      {
        file: ASSESSMENT,
        find: 'if (!rulesOut(observation.ruleMode, desired)) return null;',
        replace: "if (desired.status === 'Inactive' || !rulesOut(observation.ruleMode, desired)) return null;",
      },
    ],
  },
  {
    name: 'foreign-configuration-overwritten',
    breaks: 'a configuration of somebody else is overwritten without an approval (invariant 3)',
    edits: [
      {
        file: PLANNED,
        find: 'const isForeign = (id: string): boolean => stored.has(id) && !isOurs(id);',
        replace: 'const isForeign = (id: string): boolean => stored.has(id) && !isOurs(id) && id === "";',
      },
    ],
  },
];
