import { existsSync, statSync } from 'node:fs';
import manifest from '../../../package.json' with { type: 'json' };
import type { EvidenceSummary } from '../../../shared/app/queries/evidence/summary.ts';
import type { OpenStore } from '../../../shared/compose/stores/profile.ts';
import { instantArgument } from '../../../shared/config/arguments.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { isSpecial } from '../../../shared/config/text-file.ts';
import { RunningSha256 } from '../../../shared/domain/crypto.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { EntriesProgress } from '../ui/entries-progress.ts';
import { progressMode } from '../ui/progress.ts';
import { count, instant, number } from '../ui/words.ts';
import { hang } from '../ui/wrap.ts';
import { assertRange } from './audit-filter.ts';
import { publicKey } from './evidence-key.ts';

export interface EvidenceFlags {
  readonly since: string;
  readonly until?: string;
  readonly out: string;
  readonly force?: boolean;
}

export async function runEvidence(context: CliContext, flags: EvidenceFlags): Promise<number> {
  const { output } = context;
  const { out, force = false } = flags;
  const period = periodOf(flags, context.clock.now());
  // Before the audit log is read, which takes minutes if it is long.
  checkOut(out, force);
  const sum = new RunningSha256();
  const { summary, empty } = await withStore(context, true, async (store) => {
    const written = await write(context, { store, period, out, force, sum });
    return { summary: written, empty: written.entries.period === 0 ? await emptyText(store) : null };
  });
  const { entries, checkpoint, limits } = summary;
  const document = { file: out, ...period, entries, checkpoint, limits, sha256: sum.hex() };
  output.result(document, () => [
    `Wrote ${out}: ${count(entries.period, 'entry', 'entries')} from ${instant(period.since)} to ${instant(period.until)}.`,
    checkpoint === null
      ? 'No signed checkpoint proves them.'
      : `The signed checkpoint of ${instant(checkpoint.at)} covers ${coverage(entries)}.`,
    `SHA-256 ${document.sha256}`,
  ]);
  for (const line of [...(empty === null ? [] : [empty]), ...limits].flatMap((limit) =>
    hang('warning: ', limit, output.noteWidth, 2),
  ))
    output.note(line);
  return EXIT.ok;
}

async function emptyText({ ledger }: OpenStore): Promise<string> {
  const { entries } = await ledger.query({}, { limit: 1, order: 'oldestFirst' });
  const [first] = entries;
  const known =
    first === undefined
      ? 'The audit log has no entries.'
      : `The first entry of the audit log is of ${instant(first.at)}.`;
  return `The period has no entries, so the file shows nothing about it. ${known}`;
}

function checkOut(out: string, force: boolean): void {
  if (out === '-')
    throw new ConfigError('Usage', '--out -: expected the name of a file; standard output is for the summary.');
  if (!existsSync(out)) return;
  if (statSync(out).isDirectory()) throw new FileError(out, `${out} is a directory; name a file in it with --out`);
  if (!force && !isSpecial(out))
    throw new FileError(out, `${out} already exists; name another file with --out, or replace it with --force`);
}

function coverage({ period, notCovered, publications }: EvidenceSummary['entries']): string {
  if (period === 0) return 'no entry of this period';
  const others = notCovered + publications;
  if (others === 0) return 'all of them';
  return notCovered === 0 ? 'all of them but the entry that publishes it' : `all of them but ${number(others)}`;
}

interface Period {
  readonly since: string;
  readonly until: string;
}

function periodOf({ since, until }: EvidenceFlags, now: number): Period {
  const period = {
    since: instantArgument('--since', since, now),
    until: until === undefined ? new Date(now).toISOString() : instantArgument('--until', until, now),
  };
  assertRange(period.since, period.until);
  if (Date.parse(period.until) <= now) return period;
  throw new ConfigError('Usage', `--until ${period.until} is in the future: expected a time up to now.`);
}

interface Job {
  readonly store: OpenStore;
  readonly period: Period;
  readonly out: string;
  readonly force: boolean;
  /** Of the ZIP file. */
  readonly sum: RunningSha256;
}

async function write(context: CliContext, { store, period, out, force, sum }: Job): Promise<EvidenceSummary> {
  const [
    { packEvidence },
    { logReader },
    { EvidenceTooLargeError },
    { organizationOf },
    { writeStream },
    { verifierPage },
  ] = await Promise.all([
    import('../../../shared/app/queries/evidence/evidence.ts'),
    import('../../../shared/app/transparency/log-reader.ts'),
    import('../../../shared/app/queries/evidence/zip.ts'),
    import('../../../shared/app/coordination/organization-binding.ts'),
    import('../../../shared/config/write-stream.ts'),
    import('../../verifier/page.ts'),
  ]);
  const log = logReader(store);
  const newest = await log.newestCheckpoint();
  const { output, config, clock } = context;
  const mode = progressMode(output, config);
  const progress = new EntriesProgress({ output, now: clock.now, stream: process.stderr, mode });
  const request = {
    ...period,
    organizationId: await organizationOf(store),
    version: manifest.version,
    key: newest === null ? null : await publicKey(context, newest.origin),
    page: await verifierPage(),
    onEntries: progress.take,
  };
  const { pieces, summary } = packEvidence(store, log, request);
  try {
    await writeStream(out, summed(pieces, sum), `${process.pid}`, force ? 'replace' : 'refuse');
  } catch (error) {
    if (!(error instanceof EvidenceTooLargeError)) throw error;
    throw new CommandError('EvidenceTooLarge', error.message);
  } finally {
    progress.end();
  }
  const made = summary();
  if (made === null) throw new Error('the evidence has no summary');
  return made;
}

async function* summed(pieces: AsyncIterable<Uint8Array>, sum: RunningSha256): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    sum.add(piece);
    yield piece;
  }
}
