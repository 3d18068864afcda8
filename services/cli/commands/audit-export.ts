import manifest from '../../../package.json' with { type: 'json' };
import { EXPORT_FORMATS } from '../../../shared/app/queries/audit/export-formats.ts';
import { wordArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { count } from '../ui/words.ts';
import { type FilterFlags, selectionOf } from './audit-filter.ts';

export interface ExportFlags extends FilterFlags {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
}

export async function runExport(context: CliContext, flags: ExportFlags): Promise<number> {
  const { output } = context;
  const format = wordArgument('--format', flags.format, EXPORT_FORMATS);
  const { filter, of } = await selectionOf(context, flags);
  const { out } = flags;
  if (output.json && out === undefined && format !== 'json') {
    throw new ConfigError(
      'Usage',
      `--json prints one JSON document on stdout, which --format ${format} does not produce. Add --out FILE.`,
    );
  }
  const { auditExport } = await import('../../../shared/app/queries/audit/export.ts');
  let entries = 0;
  await withStore(context, true, async ({ ledger }) => {
    const onPage = (n: number): void => {
      entries = n;
    };
    const text = auditExport(of(ledger, 'sparse'), { filter, format, version: manifest.version, onPage });
    if (out === undefined) return output.pour(text);
    const { writeStream } = await import('../../../shared/config/write-stream.ts');
    return writeStream(out, text, `${process.pid}`, flags.force === true ? 'replace' : 'refuse');
  });
  if (out === undefined) return EXIT.ok;
  output.result({ file: out, format, entries }, () => [`${count(entries, 'entry', 'entries')} in ${out}`]);
  return EXIT.ok;
}
