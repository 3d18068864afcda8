import { type Command, Option } from 'commander';
import type { ApplyFlags } from '../commands/apply.ts';
import type { ResumeFlags, SuspendFlags } from '../commands/controls.ts';
import type { PlanOptions } from '../commands/plan.ts';
import type { ServeFlags } from '../commands/serve.ts';
import type { Select } from '../context.ts';
import { DEFAULT_HOST, DEFAULT_PORT } from './defaults.ts';

export function definePlan(program: Command, select: Select): void {
  program
    .command('plan')
    .option('--policy <file>', 'policy file (default: rollcall.yaml)')
    .option('--out <file>', 'save the plan as JSON; --force replaces an existing file')
    .option('--all', 'list every account')
    .addOption(new Option('--force', 'with --out: replace an existing file').hideHelp())
    .action((options: PlanOptions) =>
      select(async (context) => (await import('../commands/plan.ts')).runPlan(context, options)),
    );
}

export function defineApply(program: Command, select: Select): void {
  program
    .command('apply')
    .option('--policy <file>', 'policy file (default: rollcall.yaml)')
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
    .argument('<hash>', "the plan's hash, or at least its first 12 digits")
    .option('--reason <text>', 'why, for the audit log')
    .action((hash: string, flags: { readonly reason?: string }) =>
      select(async (context) => (await import('../commands/approve.ts')).runApprove(context, hash, flags.reason)),
    );
}

const SELECTOR = 'account ids, ou:/Path, tag:key=value, name:glob, or all';

export function defineControls(program: Command, select: Select): void {
  const controls = () => import('../commands/controls.ts');
  program
    .command('suspend')
    .argument('<selector...>', SELECTOR)
    .option('--reason <text>', 'why, for the audit log')
    .option('--until <time>', 'end of the suspension: 2h for two hours from now, a day (its end, UTC) or a time')
    .action((words: string[], flags: SuspendFlags) =>
      select(async (context) => (await controls()).runSuspend(context, words, flags)),
    );
  program
    .command('resume')
    .argument('[selector...]', `the selector that was suspended: ${SELECTOR}; without one, the halt ends`)
    .option('--yes', 'end the halt without asking')
    .option('--policy <file>', 'policy that says which drift is fixed (default: rollcall.yaml, if there is one)')
    .action((words: string[], flags: ResumeFlags) =>
      select(async (context) => (await controls()).runResume(context, words, flags)),
    );
  program
    .command('halt')
    .option('--reason <text>', 'why, for the audit log')
    .action((flags: { readonly reason?: string }) =>
      select(async (context) => (await controls()).runHalt(context, flags.reason)),
    );
  program
    .command('unhalt', { hidden: true })
    .action(() => select(async (context) => (await controls()).runUnhalt(context)));
}

export function defineServe(program: Command, select: Select): void {
  program
    .command('serve')
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
