import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { noteWarnings } from '../run-warnings.ts';
import { loadPolicy } from '../session.ts';
import { comparedWithSnapshot } from '../snapshot.ts';
import { count, instant } from '../ui/words.ts';

export interface PolicyFlags {
  readonly policy?: string;
}

export async function runValidate(context: CliContext, named: string | undefined): Promise<number> {
  const { output, config } = context;
  const loaded = await loadPolicy(context, named);
  const { policy, file } = loaded;
  const { findings: warnings, snapshotAt, noScan } = await comparedWithSnapshot(context, loaded);
  const { length: rules } = policy.policy.rules;
  const warned = warnings.length === 0 ? '' : `, ${count(warnings.length, 'warning')}`;
  noteWarnings(output, warnings);
  if (noScan) output.note(`note: not compared with the organization: no scan yet (${config.program} scan)`);
  output.result({ valid: true, file, policyHash: policy.hash, rules, findings: warnings, snapshotAt }, () => [
    `${file} is valid: ${count(rules, 'rule')}, hash ${policy.hash.slice(0, 12)}${warned}.`,
    ...(snapshotAt === null ? [] : [`Compared with the organization's snapshot of ${instant(snapshotAt)}.`]),
  ]);
  return EXIT.ok;
}

export async function runSchema({ output }: CliContext, expectations: boolean): Promise<number> {
  const [{ policyJsonSchema }, { expectationsJsonSchema }] = await Promise.all([
    import('../../../shared/domain/policy/index.ts'),
    import('../../../shared/domain/policy/expectations/expectations.ts'),
  ]);
  const schema = expectations ? expectationsJsonSchema() : policyJsonSchema();
  output.result(schema, () => [JSON.stringify(schema, null, 2)]);
  return EXIT.ok;
}
