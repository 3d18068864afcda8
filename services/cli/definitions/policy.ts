import type { Command } from 'commander';
import { DEFAULT_POLICY } from '../../../shared/config/config.ts';
import type { PolicyFlags } from '../commands/policy.ts';
import type { ExplainFlags } from '../commands/policy-explain.ts';
import type { InitFlags } from '../commands/policy-init.ts';
import type { TestFlags } from '../commands/policy-test.ts';
import type { Select } from '../context.ts';

const POLICY_FILE = `policy file, or - for stdin (default: ${DEFAULT_POLICY})`;

export function definePolicy(program: Command, select: Select): void {
  const policy = program.command('policy');
  policy
    .command('init')
    .option('--out <file>', 'file to write; - for stdout', DEFAULT_POLICY)
    .option('--force', 'replace an existing file')
    .option('--member-role <name>', 'role to assume in members; also written to the policy (default: RollcallMember)')
    .option('--external-id <id>', 'external id of the member role; also written to the policy')
    .action((flags: InitFlags) =>
      select(async (context) => (await import('../commands/policy-init.ts')).runInit(context, flags)),
    );
  policy
    .command('test')
    .argument('[file]', POLICY_FILE)
    .option('--policy <file>', 'same as the argument')
    .option('--expectations <file>', 'expectations file (default: NAME.test.yaml beside NAME.yaml)')
    .action((file: string | undefined, { policy: same, expectations }: TestFlags) =>
      select(async (context) =>
        (await import('../commands/policy-test.ts')).runTest(context, file ?? same, expectations),
      ),
    );
  policy
    .command('validate')
    .argument('[file]', POLICY_FILE)
    .option('--policy <file>', 'same as the argument')
    .action((file: string | undefined, flags: PolicyFlags) =>
      select(async (context) => (await import('../commands/policy.ts')).runValidate(context, file ?? flags.policy)),
    );
  policy
    .command('explain')
    .argument('[id]', 'account id (12 digits), or the name of an account')
    .option('--policy <file>', POLICY_FILE)
    .option(
      '--attributes <json>',
      'JSON or @FILE: name, ou, tags … of the account; they override the last snapshot, and AWS is not read',
    )
    .action((id: string | undefined, flags: ExplainFlags) =>
      select(async (context) => (await import('../commands/policy-explain.ts')).runExplain(context, id, flags)),
    );
  policy
    .command('schema')
    .option('--expectations', 'print the schema of expectations files instead')
    .action((flags: { readonly expectations?: boolean }) =>
      select(async (context) =>
        (await import('../commands/policy.ts')).runSchema(context, flags.expectations === true),
      ),
    );
}
