import { type CompiledPolicy, compilePolicy, formatFinding, parsePolicy } from '../../shared/domain/policy/index.ts';

/** The parts of a policy that scenarios vary. Strings are flow-style YAML. */
export interface PolicyParts {
  readonly computeOptimizer?: string;
  readonly automation?: string;
  readonly costOptimizationHub?: string;
  readonly organizationRules?: string;
  readonly mode?: string;
  readonly organizationEnrollment?: 'auto' | 'never';
  readonly automationConfigurations?: 'manage' | 'observe';
  readonly guardrails?: string;
  readonly concurrency?: number;
  readonly callsPerSecond?: number | 'auto';
  /** More sections, as written in the file. */
  readonly more?: string;
}

/** Guardrails that never trip; scenarios about guardrails set their own. */
const OPEN = '{ maxChanges: { percent: 100, atLeast: 10 }, maxOptOuts: { percent: 100, atLeast: 0 } }';

export function policyText(parts: PolicyParts = {}): string {
  const { computeOptimizer = 'Active', automation = 'unmanaged', organizationRules = 'unmanaged' } = parts;
  const hub = parts.costOptimizationHub === undefined ? '' : ` costOptimizationHub: ${parts.costOptimizationHub},`;
  const { mode = 'enforce', organizationEnrollment = 'never', guardrails = OPEN } = parts;
  const { automationConfigurations = 'observe', callsPerSecond = 1000, concurrency = 16, more = '' } = parts;
  return `version: 1
organization: { organizationEnrollment: ${organizationEnrollment}, automationConfigurations: ${automationConfigurations} }
defaults: { computeOptimizer: ${computeOptimizer}, automation: ${automation},${hub} organizationRules: ${organizationRules}, mode: ${mode} }
guardrails: ${guardrails}
limits: { callsPerSecond: ${callsPerSecond}, concurrency: ${concurrency} }
${more}
`;
}

/** @throws an error with every finding if the text is not a policy. */
export function compiled(text: string, now: number): CompiledPolicy {
  const parsed = parsePolicy(text, { file: 'policy.yaml', now });
  if (!parsed.ok) throw new Error(parsed.findings.map((finding) => formatFinding(finding)).join('\n'));
  return compilePolicy(parsed.policy);
}
