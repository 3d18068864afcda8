import type { Command } from 'commander';
import { accountArgument } from '../../../shared/config/arguments.ts';
import { DEFAULT_POLICY } from '../../../shared/config/config.ts';
import { formatFinding } from '../../../shared/domain/policy/findings.ts';
import type { AccountFacts, Explanation } from '../../../shared/domain/policy/types.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type LoadedPolicy, loadPolicy, withApp, withStore } from '../session.ts';
import { explanationText } from '../ui/explain-text.ts';
import { oneLine } from '../ui/table.ts';
import { count, instant } from '../ui/words.ts';
import { watchRun } from '../watch.ts';
import { definePolicyInit } from './policy-init.ts';

interface PolicyFlags {
  readonly policy?: string;
}

export function definePolicy(program: Command, select: Select): void {
  const policy = program.command('policy').description('write, check and question a policy');
  definePolicyInit(policy, select);
  policy
    .command('validate')
    .description('check a policy file, without asking AWS')
    .argument('[file]', `the policy (default: ${DEFAULT_POLICY})`)
    .option('--policy <file>', 'the same')
    .action((file: string | undefined, flags: PolicyFlags) =>
      select((context) => runValidate(context, file ?? flags.policy)),
    );
  policy
    .command('explain')
    .description('what the policy wants of one account, and which rules say so')
    .argument('<id>', 'account id, 12 digits')
    .option('--policy <file>', `the policy (default: ${DEFAULT_POLICY})`)
    .action((id: string, flags: PolicyFlags) => select((context) => runExplain(context, id, flags.policy)));
  policy
    .command('schema')
    .description('the JSON Schema of policy files, for editors')
    .action(() => select(runSchema));
}

async function runValidate(context: CliContext, file: string | undefined): Promise<number> {
  const { output } = context;
  const loaded = await loadPolicy(context, file);
  const { warnings, policy } = loaded;
  if (output.json) {
    output.document({
      valid: true,
      file: loaded.file,
      policyHash: policy.hash,
      rules: policy.policy.rules.length,
      findings: warnings,
    });
    return EXIT.ok;
  }
  for (const warning of warnings) output.note(formatFinding(warning));
  const rules = count(policy.policy.rules.length, 'rule');
  const doubts = warnings.length === 0 ? '' : `, ${count(warnings.length, 'warning')}`;
  output.print(`${loaded.file} is valid: ${rules}, hash ${policy.hash.slice(0, 12)}${doubts}.`);
  return EXIT.ok;
}

async function runSchema({ output }: CliContext): Promise<number> {
  const { policyJsonSchema } = await import('../../../shared/domain/policy/index.ts');
  if (output.json) output.document(policyJsonSchema());
  else output.print(JSON.stringify(policyJsonSchema(), null, 2));
  return EXIT.ok;
}

/** Where an account's name, OU and tags were taken from. */
interface Source {
  readonly facts: AccountFacts;
  /** ISO 8601; `null`: read from AWS just now. */
  readonly snapshotAt: string | null;
}

async function runExplain(context: CliContext, id: string, file: string | undefined): Promise<number> {
  const accountId = accountArgument('policy explain', id);
  const loaded = await loadPolicy(context, file);
  const { policy } = loaded;
  const { facts, snapshotAt } =
    (await fromSnapshot(context, accountId, loaded)) ?? (await fromAws(context, accountId, loaded));
  const explanation = policy.explain(facts);
  const now = context.clock.now();
  const exemptions = (['computeOptimizer', 'automation'] as const).map((enrollment) => ({
    enrollment,
    exemption: policy.exemption(accountId, enrollment, now),
  }));
  const { output } = context;
  if (output.json) output.document({ ...explanation, exemptions, snapshotAt });
  else for (const line of explainText(explanation, exemptions, snapshotAt, output.style)) output.print(line);
  return EXIT.ok;
}

function explainText(
  explanation: Explanation,
  exemptions: readonly {
    readonly enrollment: string;
    readonly exemption: { until: string; reason: string; owner: string } | null;
  }[],
  snapshotAt: string | null,
  style: CliContext['output']['style'],
): string[] {
  const { account } = explanation;
  const as = snapshotAt === null ? 'as AWS has it now' : `as of the snapshot of ${instant(snapshotAt)}`;
  return [
    style('bold', `${account.id}  ${oneLine(account.name)}  ${oneLine(account.ou)}  ${account.state} (${as})`),
    ...(account.state === 'ACTIVE' ? [] : ['It is not ACTIVE: NotApplicable, whatever the policy says.']),
    ...explanationText(explanation, style),
    ...exemptions.flatMap(({ enrollment, exemption }) =>
      exemption === null
        ? []
        : [
            `Exempt (${enrollment}) until ${exemption.until}: ${oneLine(exemption.reason)}, ${oneLine(exemption.owner)}`,
          ],
    ),
  ];
}

/** What a scan has left behind answers without AWS, if it knows all that the policy asks. */
async function fromSnapshot(context: CliContext, accountId: string, { policy }: LoadedPolicy): Promise<Source | null> {
  const { StoreError } = await import('../../../shared/compose/system.ts');
  try {
    return await withStore(context, true, async ({ facts }) => {
      const [account, meta] = await Promise.all([facts.get(accountId), facts.meta()]);
      if (account === null || meta === null || (policy.usesTags && account.tags === null)) return null;
      return { facts: account, snapshotAt: new Date(meta.takenAt).toISOString() };
    });
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NotFound') return null;
    throw error;
  }
}

async function fromAws(context: CliContext, accountId: string, { policy }: LoadedPolicy): Promise<Source> {
  return withApp(context, policy, true, async (app) => {
    const watch = watchRun(context, app.calls);
    try {
      const { accounts, organizationId } = await app.deps.cloud.readOrganization({
        tags: policy.usesTags,
        retry: app.retrying,
        onProgress: (read) => watch.take({ kind: 'organization', accounts: read, done: false }),
      });
      const facts = accounts.find(({ id }) => id === accountId);
      if (facts !== undefined) return { facts, snapshotAt: null };
      const message = `Account ${accountId} is not in the organization ${organizationId}. Check the number.`;
      throw new CommandError('AccountUnknown', message);
    } finally {
      watch.end();
    }
  });
}
