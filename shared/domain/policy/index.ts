/** The policy: what an organization's owner wants, read from a file, checked, and asked about accounts. Pure. */
export { type CompiledPolicy, compilePolicy } from './compile.ts';
export { type Finding, formatFinding } from './findings.ts';
export { type InitInput, initPolicy, type MemberAccess, type ObservedEnrollments } from './init.ts';
export { type CompiledMatch, compileMatch, matchSelector, ouCovers, TagsNotReadError } from './match.ts';
export { EXEMPTION_NOTICE_MS } from './normalize.ts';
export { type OperatorSelector, type OperatorSelectorResult, parseOperatorSelector } from './operator-selector.ts';
export { type ParseOptions, type PolicyResult, parsePolicy } from './parse.ts';
export { policyHash } from './policy-hash.ts';
export { policyJsonSchema } from './schema.ts';
export { Secret } from './secret.ts';
export type {
  AccountFacts,
  Cap,
  ConditionResult,
  Contradiction,
  Decided,
  DesiredRuleMode,
  DesiredState,
  DesiredStatus,
  EnforcementWindow,
  EnrollmentName,
  Exemption,
  Explanation,
  Field,
  Guardrails,
  Match,
  Mode,
  Notify,
  Place,
  Policy,
  PolicySource,
  Rule,
  Schedule,
  Settings,
  WebhookEvent,
} from './types.ts';
export { policyWarnings } from './warnings.ts';
