import { existsSync } from 'node:fs';
import type * as z from 'zod';
import type { doctorSchema } from '../../../shared/app/doctor/doctor-answer.ts';
import type { Finding } from '../../../shared/app/doctor/run-checks.ts';
import { countArgument, durationArgument } from '../../../shared/config/arguments.ts';
import { DEFAULT_POLICY } from '../../../shared/config/config.ts';
import { readDoctorEnv } from '../../../shared/config/doctor-env.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { type CheckResult, fail, pass, quoted, skipped, tally, warn } from '../../../shared/domain/check-result.ts';
import { formatFinding } from '../../../shared/domain/policy/file/findings.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import type { CliContext } from '../context.ts';
import { PolicyError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { packagedFile } from '../packaged-file.ts';
import { loadPolicy } from '../session.ts';
import { doctorText } from '../ui/doctor-text.ts';
import { policyFlag } from '../ui/suggested-commands.ts';
import { count } from '../ui/words.ts';

type Answer = z.infer<typeof doctorSchema>;

export interface DoctorFlags {
  readonly policy?: string;
  readonly sample: string;
  readonly timeout: string;
}

export async function runDoctor(context: CliContext, flags: DoctorFlags): Promise<number> {
  const sample = countArgument('--sample', flags.sample, { min: 0, max: 10_000 });
  const timeoutMs = durationArgument('--timeout', flags.timeout);
  const { output, config, clock, logger } = context;
  const { policy, policyResult } = await checkPolicy(context, flags.policy);
  const { examineSetup } = await import('../../../shared/compose/doctor.ts');
  const env = readDoctorEnv(context.env);
  const findings = await examineSetup({
    store: context.store,
    env,
    policy,
    policyResult,
    sample,
    timeoutMs,
    clock,
    logger,
    checkpointEnv: context.env,
    memberRoleTemplate: packagedFile('infra/member-role.yml', process.cwd()),
  });
  const summary = tally(findings);
  const ok = summary.fail === 0;
  const answer: Answer = { ok, store: config.store, summary, checks: findings.map(toJson) };
  const step = existsSync(flags.policy ?? DEFAULT_POLICY) ? `plan${policyFlag(flags.policy)}` : 'policy init';
  const { style, width } = output;
  output.result(answer, () => doctorText(findings, { style, width, next: `${config.program} ${step}` }));
  return ok ? EXIT.ok : EXIT.error;
}

/** A finding in `doctor --json`. Version 0.1.0 named the commands `mend`. */
function toJson({ fix, ...finding }: Finding): Answer['checks'][number] {
  return { ...finding, mend: [...fix] };
}

/** Checks the policy file. An invalid policy is a finding like any other; the other checks then use the defaults. */
async function checkPolicy(
  context: CliContext,
  named: string | undefined,
): Promise<{ readonly policy: CompiledPolicy | null; readonly policyResult: CheckResult }> {
  const file = named ?? DEFAULT_POLICY;
  const { program } = context.config;
  if (named === undefined && !existsSync(file)) {
    const message = `there is no ${file} yet`;
    return { policy: null, policyResult: skipped('missing', message, [`${program} policy init`]) };
  }
  const validate = [`${program} policy validate ${quoted(file)}`];
  try {
    const { policy, warnings } = await loadPolicy(context, named);
    const rules = count(policy.policy.rules.length, 'rule');
    const policyResult =
      warnings.length === 0
        ? pass(`${file} is valid: ${rules}, hash ${policy.hash.slice(0, 12)}`)
        : warn('wrong', `${file} has ${count(warnings.length, 'warning')}`, validate);
    return { policy, policyResult };
  } catch (error) {
    const write = existsSync(file) ? [] : [`${program} policy init --out ${quoted(file)}`];
    if (error instanceof FileError) return { policy: null, policyResult: fail('missing', error.message, write) };
    if (!(error instanceof PolicyError)) throw error;
    const [first] = error.findings;
    const message = `${file} cannot be used${first === undefined ? '' : `: ${formatFinding(first)}`}`;
    return { policy: null, policyResult: fail('wrong', message, validate) };
  }
}
