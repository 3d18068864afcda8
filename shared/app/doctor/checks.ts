import type { CheckResult } from '../../domain/check-result.ts';
import type { Clock } from '../../ports/system.ts';
import { type CheckpointChecksInput, checkpointChecks } from './checkpoint-checks.ts';
import { type CloudChecksInput, cloudChecks, cloudFacts } from './cloud-checks.ts';
import { type ConfigurationsCheckInput, configurationsCheck } from './configurations-check.ts';
import { type MemberCheckInput, memberCheck } from './member-check.ts';
import type { Check } from './run-checks.ts';
import { enforcementCheck, outboxCheck, type StoreDoctor, storeOrganizationCheck } from './store-checks.ts';

export interface DoctorInput
  extends CloudChecksInput,
    MemberCheckInput,
    ConfigurationsCheckInput,
    CheckpointChecksInput {
  /** The finding about the policy file. */
  readonly policyResult: CheckResult;
  readonly networkResult: CheckResult;
  readonly cloud: CloudChecksInput['cloud'] & MemberCheckInput['cloud'] & ConfigurationsCheckInput['cloud'];
  /** The store in use, with its own checks. */
  readonly store: StoreDoctor;
  /** The name of the event bus, and its check; `null`: none is configured. */
  readonly bus: string | null;
  readonly checkBus: () => Promise<CheckResult>;
  readonly clock: Clock;
}

/** The list of checks of `rollcall doctor`, in the order of `CHECKS`. */
export function doctorChecks(input: DoctorInput): readonly Check[] {
  const { policyResult, networkResult, store, bus, checkBus, clock } = input;
  const facts = cloudFacts(input);
  return [
    { id: 'policy', needs: [], run: async () => policyResult },
    { id: 'network', needs: [], run: async () => networkResult },
    ...cloudChecks(input, facts),
    configurationsCheck(input, facts),
    memberCheck(input, facts),
    ...store.checks,
    storeOrganizationCheck(store, facts),
    enforcementCheck(store),
    { id: 'bus', needs: bus === null ? [] : ['region'], run: checkBus },
    outboxCheck(store, clock, bus),
    ...checkpointChecks(input, store, clock),
  ];
}
