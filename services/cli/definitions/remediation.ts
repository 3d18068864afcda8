import type { Command } from 'commander';
import type { ApplyFlags } from '../commands/apply.ts';
import type { SuspendFlags } from '../commands/controls.ts';
import type { PlanOptions } from '../commands/plan.ts';
import type { ServeFlags } from '../commands/serve.ts';
import type { Select } from '../context.ts';
import { DEFAULT_HOST, DEFAULT_PORT } from './defaults.ts';

export function definePlan(program: Command, select: Select): void {
  program
    .command('plan')
    .description('show what would change to meet the policy; changes nothing')
    .option('--policy <file>', 'policy file, or - for stdin (default: rollcall.yaml)')
    .option('--out <file>', 'save the plan as JSON, for apply --plan')
    .option('--all', 'list every change')
    .action((options: PlanOptions) =>
      select(async (context) => (await import('../commands/plan.ts')).runPlan(context, options)),
    );
}

export function defineApply(program: Command, select: Select): void {
  program
    .command('apply')
    .description('scan, show the changes, ask, and remediate until nothing is due within --wait')
    .option('--policy <file>', 'policy file, or - for stdin (default: rollcall.yaml)')
    .option('--plan <file>', 'make only the changes of this saved plan; lifts maxChanges for them')
    .option('--yes', 'do not ask for confirmation')
    .option('--wait <duration>', 'end when nothing is due within this time', '60s')
    .action((flags: ApplyFlags) =>
      select(async (context) => (await import('../commands/apply.ts')).runApply(context, flags)),
    );
}

export function defineApprove(program: Command, select: Select): void {
  program
    .command('approve')
    .description('let one plan that maxChanges or a canary stopped go through, once, within 24 hours')
    .argument('<hash>', "the plan's hash, or at least its first 12 digits")
    .option('--reason <text>', 'why, for the ledger')
    .action((hash: string, flags: { readonly reason?: string }) =>
      select(async (context) => (await import('../commands/approve.ts')).runApprove(context, hash, flags.reason)),
    );
}

const SELECTOR = 'account ids, ou:/Path, tag:key=value, name:glob, or all';

export function defineControls(program: Command, select: Select): void {
  const controls = () => import('../commands/controls.ts');
  program
    .command('suspend')
    .description('stop all changes to some accounts, whatever the policy says')
    .argument('<selector...>', SELECTOR)
    .option('--reason <text>', 'why, for the ledger')
    .option('--until <time>', 'when it ends automatically: 2h from now, a day (its end, UTC) or a time')
    .action((words: string[], flags: SuspendFlags) =>
      select(async (context) => (await controls()).runSuspend(context, words, flags)),
    );
  program
    .command('resume')
    .description('end suspensions, and settle contested accounts, so that their drift is remediated again')
    .argument('<selector...>', `the selector that was suspended: ${SELECTOR}`)
    .action((words: string[]) => select(async (context) => (await controls()).runResume(context, words)));
  program
    .command('halt')
    .description('stop all changes immediately, in every process (kill switch); scans continue')
    .option('--reason <text>', 'why, for the ledger')
    .action((flags: { readonly reason?: string }) =>
      select(async (context) => (await controls()).runHalt(context, flags.reason)),
    );
  program
    .command('unhalt')
    .description('allow changes again')
    .action(() => select(async (context) => (await controls()).runUnhalt(context)));
}

export function defineServe(program: Command, select: Select): void {
  program
    .command('serve')
    .description(
      "scan on the policy's schedule and remediate continuously, with API and dashboard, until Ctrl-C or SIGTERM",
    )
    .option('--policy <file>', 'policy file (default: rollcall.yaml); reloaded when it changes')
    .option('--port <n>', `port of API and dashboard; 0 picks a free port (default: ${DEFAULT_PORT})`)
    .option(
      '--host <host>',
      'address of API and dashboard; any but loopback needs a token in the environment',
      DEFAULT_HOST,
    )
    .action((flags: ServeFlags) =>
      select(async (context) => (await import('../commands/serve.ts')).runServe(context, flags)),
    );
}
