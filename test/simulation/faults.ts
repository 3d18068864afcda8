import { CONFIGURATION_FAULTS } from './configuration-faults.ts';
import type { Fault } from './fault.ts';
import { HUB_FAULTS } from './hub-faults.ts';
import { REMEDIATION_FAULTS } from './remediation-faults.ts';
import { STORE_FAULTS } from './store-faults.ts';

/**
 * Deliberate faults that a careless change could introduce. `with-fault.ts` applies them while the source is loaded. A fault whose source text
 * is not found is an error.
 *
 * Not in the list, because 400 histories did not notice them: one client token for all calls, expired claims that nothing wakes, an approval that
 * lifts the cap also for what an event brings into its run, records that are not caught up, a denied role that ends a scan, an approval that can be
 * used again after a restore (held by test/adapters/embedded/restore.test.ts); not noticed in 2,000 histories: an approval that still covers a configuration
 * after its rule mode has changed (held by test/scenario/configurations.test.ts); and, in 1,000 histories, an interrupted run that resumes with answers
 * of any age. One history in 1,000 notices ignored coverage, so the unit tests of the guardrails cover it. The property test of the caps covers a
 * sent call that does not count against them.
 */
export const FAULTS: readonly Fault[] = [
  {
    name: 'message-with-a-new-field',
    breaks: 'workers of the last version give up every message of this version during a deployment (invariant 1)',
    twoVersions: true,
    edits: [
      {
        file: 'shared/domain/work-message.ts',
        find: 'planHash: z.string().nullable(),',
        replace: "planHash: z.string().nullable(), reason: z.string().default('scan'),",
      },
    ],
  },
  ...REMEDIATION_FAULTS,
  ...STORE_FAULTS,
  ...CONFIGURATION_FAULTS,
  ...HUB_FAULTS,
];
