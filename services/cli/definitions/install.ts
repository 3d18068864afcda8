import { type Command, Option } from 'commander';
import type { Select } from '../context.ts';
import type { InstallFlags } from '../install/request.ts';
import { DEFAULT_STAGE } from './defaults.ts';

export function defineInstall(program: Command, select: Select): void {
  program
    .command('install')
    .option('--external-id <id>', 'external id of the member role, as in the policy')
    .option('--account <id>', 'account that Rollcall runs in (default: the account of the credentials)')
    .option('--policy-source <location>', 's3://BUCKET/KEY or ssm:/PARAMETER (default: a policy that changes nothing)')
    .option('--stage <name>', 'part of all resource names', DEFAULT_STAGE)
    .option('--units <ids>', 'OUs whose accounts get the member role, with commas (default: the root)')
    .option('--packages <dir>', 'folder with the packages that `npm run package` builds', '.serverless')
    .option('--parameter <name=value>', 'another parameter of the template; may be repeated', collect, [])
    .option('--template <file>', 'only write the CloudFormation template to a file')
    .addOption(new Option('--force', 'with --template: replace an existing file').hideHelp())
    .option('--yes', 'do not ask')
    .action((flags: InstallFlags) =>
      select(async (context) => (await import('../commands/install.ts')).runInstall(context, flags)),
    );
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
