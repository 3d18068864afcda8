import type { Command } from 'commander';
import type { AccountFlags } from '../commands/account.ts';
import type { AccountsFlags } from '../commands/accounts.ts';
import type { StatusFlags } from '../commands/status.ts';
import type { Select } from '../context.ts';

export function defineStatus(program: Command, select: Select): void {
  program
    .command('status')
    .option('--policy <file>', 'policy whose change windows are shown (default: rollcall.yaml, if there is one)')
    .option('--watch', 'repaint every 2 seconds until q is typed')
    .action((flags: StatusFlags) =>
      select(async (context) => (await import('../commands/status.ts')).runStatus(context, flags)),
    );
}

export function defineAccounts(program: Command, select: Select): void {
  program
    .command('accounts')
    .option('--status <list>', 'any of these statuses, separated by commas: needs-attention, drifted, …')
    .option('--kind <kind>', 'only this enrollment kind: compute-optimizer, automation or cost-optimization-hub')
    .option('--ou <path>', 'this OU and all OUs below it')
    .option('--rule <id>', 'enrollments that this rule decides')
    .option('--name <glob>', 'accounts whose name matches, such as dev-*')
    .option('--sort <order>', 'status (worst first), age, name, ou or account', 'status')
    .option('--limit <n>', 'maximum number of accounts (default: all)')
    .action((flags: AccountsFlags) =>
      select(async (context) => (await import('../commands/accounts.ts')).runAccounts(context, flags)),
    );
}

export function defineAccount(program: Command, select: Select): void {
  program
    .command('account')
    .argument('<id>', 'account id (12 digits), or its exact name')
    .option('--policy <file>', 'policy whose change windows are shown (default: rollcall.yaml, if there is one)')
    .option('--limit <n>', 'number of history entries', '20')
    .action((id: string, flags: AccountFlags) =>
      select(async (context) => (await import('../commands/account.ts')).runAccount(context, id, flags)),
    );
}
