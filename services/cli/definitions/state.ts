import type { Command } from 'commander';
import type { AccountFlags } from '../commands/account.ts';
import type { Select } from '../context.ts';

export function defineStatus(program: Command, select: Select): void {
  program
    .command('status')
    .option('--policy <file>', 'policy whose change windows are shown (default: rollcall.yaml, if there is one)')
    .action((flags: { readonly policy?: string }) =>
      select(async (context) => (await import('../commands/status.ts')).runStatus(context, flags.policy)),
    );
}

export function defineAccount(program: Command, select: Select): void {
  program
    .command('account')
    .argument('<id>', 'account id, 12 digits')
    .option('--policy <file>', 'policy to explain with (default: rollcall.yaml, if there is one)')
    .option('--limit <n>', 'number of timeline entries', '20')
    .action((id: string, flags: AccountFlags) =>
      select(async (context) => (await import('../commands/account.ts')).runAccount(context, id, flags)),
    );
}
