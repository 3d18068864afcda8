import type { Command } from 'commander';
import { EXPORT_FORMATS } from '../../../shared/app/queries/audit/export-formats.ts';
import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { CheckpointFlags } from '../commands/audit-checkpoint.ts';
import type { ExportFlags } from '../commands/audit-export.ts';
import type { ListFlags } from '../commands/audit-filter.ts';
import type { ProofFlags } from '../commands/audit-proof.ts';
import type { ReportFlags } from '../commands/audit-report.ts';
import type { VerifyFlags } from '../commands/audit-verify.ts';
import type { EvidenceFlags } from '../commands/evidence.ts';
import type { Select } from '../context.ts';

export function defineAudit(program: Command, select: Select): void {
  const audit = program.command('audit');
  withFilters(audit.command('list'))
    .option('--limit <n>', 'maximum number of entries', '50')
    .option('--cursor <cursor>', 'continue after the previous page (`next` of --json)')
    .option('--oldest-first', 'list the oldest entries first')
    .option('--follow', 'print new entries as they are recorded, until Ctrl-C')
    .action((flags: ListFlags) =>
      select(async (context) => (await import('../commands/audit.ts')).runList(context, flags)),
    );
  audit
    .command('show')
    .argument('<id>', "an entry's id, or its position, CHAIN#SEQ")
    .action((id: string) => select(async (context) => (await import('../commands/audit.ts')).runShow(context, id)));
  audit
    .command('as-of')
    .argument('<time>', '2026-03-01, 2026-03-01T12:00:00Z, or 24h for 24 hours ago')
    .action((time: string) =>
      select(async (context) => (await import('../commands/audit-as-of.ts')).runAsOf(context, time)),
    );
  withFilters(audit.command('export'))
    .option('--format <format>', EXPORT_FORMATS.join(', '), 'json')
    .option('--out <file>', 'write to this file instead of stdout')
    .option('--force', 'replace an existing file')
    .action((flags: ExportFlags) =>
      select(async (context) => (await import('../commands/audit-export.ts')).runExport(context, flags)),
    );
  audit
    .command('verify')
    .option(
      '--digest <file or root>',
      'also compare the store with digests that were kept elsewhere: a file with DigestPublished events, or a root hash',
    )
    .option('--checkpoint <file>', 'compare the store with a signed checkpoint that was kept elsewhere; needs --key')
    .option('--key <key>', 'the public key of the log: a file (PEM or verifier key), or the verifier key itself')
    .action((flags: VerifyFlags) =>
      select(async (context) => (await import('../commands/audit-verify.ts')).runVerify(context, flags)),
    );
  audit
    .command('checkpoint')
    .option('--key', 'print the public key that verifies checkpoints, in PEM and as a verifier key')
    .option('--new-key <file>', 'create an Ed25519 key for ROLLCALL_CHECKPOINT_KEY; never replaces a file')
    .action((flags: CheckpointFlags) =>
      select(async (context) => (await import('../commands/audit-checkpoint.ts')).runCheckpoint(context, flags)),
    );
  audit
    .command('proof')
    .argument('[id]', "an entry's id, or its position, CHAIN#SEQ")
    .option('--out <file>', 'write the proof to this file; --force replaces an existing file')
    .option('--force', 'replace an existing file')
    .option('--verify <file>', 'verify a proof instead, without a store; needs --key')
    .option('--key <key>', 'with --verify: the public key of the log, a file or the verifier key itself')
    .option('--entry <file>', 'with --verify: the entry as JSON, if the file has the proof alone')
    .action((id: string | undefined, flags: ProofFlags) =>
      select(async (context) => (await import('../commands/audit-proof.ts')).runProof(context, id, flags)),
    );
  audit
    .command('report')
    .option('--since <time>', 'start: 2026-03-01, 2026-03-01T12:00:00Z, or 24h for 24 hours ago', '30d')
    .option('--until <time>', 'end (default: now)')
    .option('--interval <duration>', 'time between two rows (default: 1d; 1h for two days or less)')
    .option('--top <n>', 'number of accounts and reasons shown', '10')
    .action((flags: ReportFlags) =>
      select(async (context) => (await import('../commands/audit-report.ts')).runReport(context, flags)),
    );
}

export function defineEvidence(program: Command, select: Select): void {
  program
    .command('evidence')
    .requiredOption('--since <time>', 'start: 2026-03-01, 2026-03-01T12:00:00Z, or 90d for 90 days ago')
    .option('--until <time>', 'end, not included (default: now)')
    .requiredOption('--out <file>', 'the ZIP file; --force replaces an existing file')
    .option('--force', 'replace an existing file')
    .action((flags: EvidenceFlags) =>
      select(async (context) => (await import('../commands/evidence.ts')).runEvidence(context, flags)),
    );
}

/** Options that select entries. */
function withFilters(command: Command): Command {
  return command
    .option('--account <id>', 'entries of this account (id, or its exact name)')
    .option('--enrollment <name>', `only this enrollment kind: ${ENROLLMENT_IDS.join(', ')}`)
    .option('--type <type>', 'entries of this type: DriftDetected, or "drift detected", as a list prints it')
    .option('--run <id>', 'entries of this run')
    .option('--since <time>', 'at or after: 2026-03-01, 2026-03-01T12:00:00Z, or 24h for 24 hours ago')
    .option('--until <time>', 'before this time')
    .option(
      '--actor <name>',
      'entries that this actor recorded: the full name, the name that lists print, or its last part',
    )
    .option(
      '--changed-by <name>',
      'drift that this caller caused, by any name that --actor takes; "unknown": drift whose caller is unknown',
    );
}
