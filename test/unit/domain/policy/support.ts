import { expect } from 'vitest';
import {
  type CompiledPolicy,
  compilePolicy,
  type Finding,
  type OrganizationAccount,
  type Policy,
  parsePolicy,
} from '../../../../shared/domain/policy/index.ts';

/** 2026-11-22, 02:00 UTC. */
export const NOW = Date.UTC(2026, 10, 22, 2);

type Env = Readonly<Record<string, string>>;

/** The findings of a bad file; fails if it is accepted. */
export function findingsOf(text: string | Uint8Array, env: Env = {}): readonly Finding[] {
  const result = parsePolicy(text, { file: 'policy.yaml', now: NOW, env });
  if (result.ok) expect.fail('this policy was accepted');
  return result.findings;
}

/** The policy and warnings of a good file; fails with its findings if it is rejected. */
export function accepted(
  text: string | Uint8Array,
  env: Env = {},
  now = NOW,
): { policy: Policy; warnings: readonly Finding[] } {
  const result = parsePolicy(text, { file: 'policy.yaml', now, env });
  if (!result.ok) expect.fail(JSON.stringify(result.findings, null, 2));
  return result;
}

export function compiled(text: string): CompiledPolicy {
  return compilePolicy(accepted(text).policy);
}

/** A policy with its first lines filled in. */
export function withDefaults(rest: string): string {
  return `version: 1\ndefaults: { computeOptimizer: Active }\n${rest}`;
}

export function account(over: Partial<OrganizationAccount> = {}): OrganizationAccount {
  return {
    id: '111111111111',
    name: 'payments-prod',
    ou: '/Workloads/Prod',
    state: 'ACTIVE',
    management: false,
    tags: {},
    ...over,
  };
}
