import type { Fault } from './fault.ts';

const ASSESSMENT = 'shared/domain/decision/assess-mismatch.ts';
const PLANNED = 'shared/app/plan/planned-configurations.ts';
const CALLS = 'shared/app/reconciler/bulk/reconcile-configurations.ts';

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
  {
    name: 'stale-accounts',
    breaks: 'a call reaches accounts that have moved since the organization was read (invariant 2)',
    edits: [
      {
        file: CALLS,
        find: '({ seen, surveys } = await recentSurvey(work, seen, surveys));',
        replace: '',
      },
      {
        file: CALLS,
        find: 'seen = await observeOrganization(work);\n      continue;',
        replace: 'continue;',
      },
    ],
  },
  {
    name: 'stale-tree',
    breaks:
      'a call overwrites a configuration that somebody else has set since the configurations were read (invariant 3)',
    edits: [
      {
        file: CALLS,
        find: '({ seen, surveys } = await recentSurvey(work, seen, surveys));',
        replace: '',
      },
      {
        file: CALLS,
        find: 'seen = await observeOrganization(work);\n      continue;',
        replace: 'continue;',
      },
      {
        file: CALLS,
        find: 'const configurations = await readConfigurations(deps, work.retrying);',
        // The age of the answer is checked right before the call, so the fault also gives the old answer a new time.
        replace: 'const configurations = { ...seen.configurations, readAt: deps.clock.now() };',
      },
      {
        file: CALLS,
        find: 'seen = { ...seen, associable: afterCall(seen.associable, next) };',
        replace: `const { targetId, ruleMode } = next.change;
      const stored = new Map(seen.configurations.stored);
      if (ruleMode === null) stored.delete(targetId);
      else stored.set(targetId, ruleMode);
      seen = { ...seen, associable: afterCall(seen.associable, next), configurations: { ...seen.configurations, stored } };`,
      },
    ],
  },
  {
    name: 'configuration-without-intents',
    breaks: 'a call that changes accounts without a prior record for each of them (invariant 2)',
    edits: [
      {
        file: 'shared/app/reconciler/bulk/configuration-call.ts',
        find: 'if (members.length === 0) return',
        replace: 'if (members.length >= 0) return',
      },
    ],
  },
];
