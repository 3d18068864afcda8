import type { Command } from 'commander';
import { DEFAULT_POLICY } from '../../../shared/config/config.ts';
import { formatFinding } from '../../../shared/domain/policy/file/findings.ts';
import type { CliContext, Select } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicy } from '../session.ts';
import { comparedWithSnapshot } from '../snapshot.ts';
import { count, instant } from '../ui/words.ts';
import { definePolicyExplain } from './policy-explain.ts';
import { definePolicyInit } from './policy-init.ts';
import { definePolicyTest } from './policy-test.ts';

interface PolicyFlags {
  readonly policy?: string;
}

export function definePolicy(program: Command, select: Select): void {
  const policy = program.command('policy').description('write, check, explain and test a policy');
  definePolicyInit(policy, select);
  definePolicyTest(policy, select);
  policy
    .command('validate')
    .description('check a policy file, without AWS')
    .argument('[file]', `policy file, or - for stdin (default: ${DEFAULT_POLICY})`)
    .option('--policy <file>', 'same as the argument')
    .action((file: string | undefined, flags: PolicyFlags) =>
      select((context) => runValidate(context, file ?? flags.policy)),
    );
  definePolicyExplain(policy, select);
  policy
    .command('schema')
    .description('print the JSON Schema of policy files, for editors')
    .option('--expectations', 'print the schema of expectations files instead')
    .action((flags: { expectations?: boolean }) =>
      select((context) => runSchema(context, flags.expectations === true)),
    );
}

async function runValidate(context: CliContext, named: string | undefined): Promise<number> {
  const { output } = context;
  const loaded = await loadPolicy(context, named);
  const { policy, file } = loaded;
  const { findings: warnings, snapshotAt } = await comparedWithSnapshot(context, loaded);
  const { length: rules } = policy.policy.rules;
  const warned = warnings.length === 0 ? '' : `, ${count(warnings.length, 'warning')}`;
  if (!output.json) for (const warning of warnings) output.note(formatFinding(warning));
  output.result({ valid: true, file, policyHash: policy.hash, rules, findings: warnings, snapshotAt }, () => [
    `${file} is valid: ${count(rules, 'rule')}, hash ${policy.hash.slice(0, 12)}${warned}.`,
    ...(snapshotAt === null ? [] : [`Compared with the organization's snapshot of ${instant(snapshotAt)}.`]),
  ]);
  return EXIT.ok;
}

async function runSchema({ output }: CliContext, expectations: boolean): Promise<number> {
  const [{ policyJsonSchema }, { expectationsJsonSchema }] = await Promise.all([
    import('../../../shared/domain/policy/index.ts'),
    import('../../../shared/domain/policy/expectations/expectations.ts'),
  ]);
  const schema = expectations ? expectationsJsonSchema() : policyJsonSchema();
  output.result(schema, () => [JSON.stringify(schema, null, 2)]);
  return EXIT.ok;
}
