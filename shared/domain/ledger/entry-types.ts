/**
 * Everything that can be recorded.
 * - `VerdictChanged`: a transition without a type of its own.
 * - `ChainPruned`: the checkpoint that replaces older entries of its chain.
 * - `DigestPublished`: the hash of the day over the ends of all chains.
 * - `CheckpointPublished`: a signed checkpoint of the transparency log, with the proof that it extends the one before.
 * - `ConfigurationStarted`, `ConfigurationEnded`: a call for an organization enrollment configuration, beside the entries of the accounts that it changes.
 * - `ScanRequested`, `DeadLettersRedriven`: commands of operators.
 * - `StoreRestored`: a backup replaced the store; names the end of the organization's chain in the replaced store.
 */
export const ENTRY_TYPES = [
  'ScanStarted',
  'ScanCompleted',
  'AccountJoined',
  'AccountLeft',
  'DriftDetected',
  'DriftResolved',
  'RemediationStarted',
  'RemediationSucceeded',
  'RemediationFailed',
  'RemediationBlocked',
  'ConvergenceStalled',
  'ConfigurationStarted',
  'ConfigurationEnded',
  'ExemptionExpiring',
  'ExemptionExpired',
  'GuardrailTripped',
  'PlanApproved',
  'RolloutAdvanced',
  'EnforcementHalted',
  'EnforcementResumed',
  'AccountSuspended',
  'AccountResumed',
  'PolicyChanged',
  'FlapDetected',
  'VerdictChanged',
  'ChainPruned',
  'DigestPublished',
  'CheckpointPublished',
  'ScanRequested',
  'DeadLettersRedriven',
  'StoreRestored',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** Entries that record the progress of a change. The last one for an enrollment of an account shows the result or the present step. */
export const STEP_TYPES = [
  'DriftResolved',
  'RemediationStarted',
  'RemediationSucceeded',
  'RemediationFailed',
  'RemediationBlocked',
  'ConvergenceStalled',
] as const satisfies readonly EntryType[];
export type StepType = (typeof STEP_TYPES)[number];
