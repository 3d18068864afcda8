import type { Command } from 'commander';
import type { DoctorFlags } from '../commands/doctor.ts';
import type { RestoreFlags } from '../commands/restore.ts';
import type { Select } from '../context.ts';

export function defineDlq(program: Command, select: Select): void {
  const commands = () => import('../commands/dlq.ts');
  const dlq = program.command('dlq');
  dlq
    .command('list')
    .option('--limit <n>', 'maximum number of dead letters', '50')
    .action((flags: { readonly limit: string }) =>
      select(async (context) => (await commands()).runList(context, flags.limit)),
    );
  dlq
    .command('show')
    .argument('<id>')
    .action((id: string) => select(async (context) => (await commands()).runShow(context, id)));
  dlq
    .command('redrive')
    .argument('[id...]')
    .option('--all', 'redrive all dead letters')
    .action((ids: string[], flags: { readonly all?: boolean }) =>
      select(async (context) => (await commands()).runRedrive(context, ids, flags.all === true)),
    );
}

export function defineBackup(program: Command, select: Select): void {
  program
    .command('backup')
    .argument('<file>', 'new file; an existing one is not replaced')
    .action((file: string) =>
      select(async (context) => (await import('../commands/backup.ts')).runBackup(context, file)),
    );
  program
    .command('restore')
    .argument('[file]', 'backup file')
    .option('--yes', 'do not ask for confirmation')
    .option('--acknowledge', 'record that the store was restored in another way')
    .option('--reason <text>', 'with --acknowledge: what was restored, and to which time')
    .action((file: string | undefined, flags: RestoreFlags) =>
      select(async (context) => (await import('../commands/restore.ts')).runRestore(context, file, flags)),
    );
}

export function defineDoctor(program: Command, select: Select): void {
  program
    .command('doctor')
    .option('--policy <file>', 'policy whose member role is tested (default: rollcall.yaml, if there is one)')
    .option('--sample <n>', 'number of members whose role is tested', '5')
    .option('--timeout <duration>', 'maximum time for each check', '15s')
    .action((flags: DoctorFlags) =>
      select(async (context) => (await import('../commands/doctor.ts')).runDoctor(context, flags)),
    );
}
