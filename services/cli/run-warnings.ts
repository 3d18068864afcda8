import type { Plan } from '../../shared/app/plan/plan.ts';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import { sourceLine } from './source-line.ts';
import { deniedRolesLines } from './ui/denied-roles.ts';
import { findingText } from './ui/finding-text.ts';
import type { Output } from './ui/output.ts';

/** Writes warnings about a policy to stderr. `--json` has them in its document. */
export function noteWarnings(output: Output, warnings: readonly Finding[]): void {
  if (output.json) return;
  for (const line of warnings.flatMap((warning) => findingText(warning, sourceLine, output.noteWidth)))
    output.note(line);
}

/** Warns about accounts that the run skips because AWS refused the member role. */
export function noteDeniedRoles(
  output: Output,
  plan: Pick<Plan, 'deniedRoles' | 'coverage'>,
  { policy }: CompiledPolicy,
): void {
  if (output.json) return;
  for (const line of deniedRolesLines(plan, policy.organization.memberRole, output.noteWidth)) output.note(line);
}
