import type { Fault } from './fault.ts';
import { REMEDIATION_FAULTS } from './remediation-faults.ts';
import { STORE_FAULTS } from './store-faults.ts';

/**
 * Deliberate faults that a careless change could introduce. `with-fault.ts` applies them while the source is loaded. A fault whose source text
 * is not found is an error.
 *
 * Tried, and not noticed by 400 histories, so not in the list: one client token for all calls, expired claims that nothing wakes, an approval that
 * lifts the cap also for what an event brings into its run, records that are not caught up, a denied role that ends a scan, an approval that can be
 * used again after a restore (held by test/adapters/embedded/restore.test.ts); nor by 1,000: an interrupted run that is gone on with however old its answers
 * are. Coverage that is ignored is noticed by about one history in a thousand, so it is left to the unit tests of the guardrails; a call that was
 * sent and does not count against the caps, to their property test.
 */
export const FAULTS: readonly Fault[] = [...REMEDIATION_FAULTS, ...STORE_FAULTS];
