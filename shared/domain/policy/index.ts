/** The policy: the desired state of an organization, read from a file, checked, and resolved for each account. Pure. */

export { type Finding, formatFinding } from './file/findings.ts';
export { parsePolicy } from './file/parse.ts';
export { policyJsonSchema } from './file/schema.ts';
export { Secret } from './file/secret.ts';
export { initPolicy, type MemberAccess, type ObservedEnrollments } from './init/policy-from-organization.ts';
export { callCeiling, DEFAULT_LIMITS } from './limits.ts';
export { censusWarnings, type PolicyCensus, policyCensus, policyWarnings } from './lint/warnings.ts';
export { type CompiledPolicy, compilePolicy, manages } from './rules/compile.ts';
export { compileMatch, matchSelector, ouCovers, TagsNotReadError } from './rules/match.ts';
export { type OperatorSelector, parseOperatorSelector } from './rules/operator-selector.ts';
export { policyHash } from './rules/policy-hash.ts';
export type {
  DesiredState,
  Exemption,
  Guardrails,
  Match,
  OrganizationAccount,
  Policy,
  Schedule,
  WebhookEvent,
} from './types.ts';
