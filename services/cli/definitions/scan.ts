import type { Command } from 'commander';
import type { ScanFlags } from '../commands/scan.ts';
import type { Select } from '../context.ts';

export function defineScan(program: Command, select: Select): void {
  program
    .command('scan')
    .option('--policy <file>', 'policy file (default: rollcall.yaml)')
    .action((flags: ScanFlags) =>
      select(async (context) => (await import('../commands/scan.ts')).runScan(context, flags)),
    );
}
