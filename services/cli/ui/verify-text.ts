import type { DigestResult } from '../../../shared/app/ledger/verify-digests.ts';
import type { ShownCheckpoint } from '../../../shared/app/queries/audit/checkpoint.ts';
import type { VerifyResult } from '../../../shared/app/queries/audit/verify.ts';
import type { CliContext } from '../context.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { count, instant, number, shortHash } from './words.ts';
import { hang, wrap } from './wrap.ts';

type Fault = VerifyResult['faults'][number];
type Log = NonNullable<VerifyResult['log']>;

/** The shape of `audit verify --json`. */
export interface PlainResult extends VerifyResult {
  /** The newest checkpoint of the store; its signatures were not verified. `null`: none was published. */
  readonly newestCheckpoint: Pick<ShownCheckpoint, 'at' | 'origin' | 'size' | 'keyId'> | null;
}

type Context = Pick<CliContext, 'output' | 'store'>;

/** Whether the audit log is intact, whether it still has everything that its digests and checkpoints cover, and what that does not show. */
export function verifyText(result: PlainResult, context: Context): readonly string[] {
  const { ok, newestCheckpoint } = result;
  const text = storeText(result, context);
  if (!ok) return text;
  const command = newestCheckpoint === null ? SIGN : 'rollcall audit verify --checkpoint FILE --key KEY';
  return [...text, ...hang('- ', BLIND, context.output.width), `    ${command}`];
}

const BLIND =
  'Not checked: whether the whole store was rewritten or replaced. A checkpoint that is kept elsewhere shows it:';
const SIGN = 'rollcall audit checkpoint --help';

/** As {@link verifyText}, without what it does not show. */
export function storeText(result: VerifyResult, { output, store }: Context): readonly string[] {
  const { ok, faults, digests, log } = result;
  const { style, width } = output;
  if (ok) {
    const logged = log === null ? [] : [...good(logText(log), output), ...checkpointText(log, output)];
    return [...good(intactText(result), output), ...digestsText(digests, output), ...logged];
  }
  const missed = digests.filter(({ outcome }) => outcome === 'differs' || outcome === 'unknown');
  const what = [...faults.map(faultText), ...missed.map(digestText), ...(log?.problems ?? []).map(oneLine)];
  const [first] = faults;
  const next = first === undefined ? '' : `, then: rollcall audit show ${first.chain}#${first.seq}`;
  return [
    ...what.flatMap((each) => hang(`${style('red', '✗')} `, `Audit log damaged: ${each}.`, width)),
    ...wrap(`  Copy the store (${store.label}) before you do anything else${next}`, width, 2),
    ...wrap(`  Compare it with ${store.earlierCopy}.`, width, 2),
  ];
}

function logText({ size, waiting }: Log): string {
  const more = waiting === 0 ? '' : `; ${count(waiting, 'newer entry is', 'newer entries are')} not in it yet`;
  return `Transparency log intact: ${count(size, 'entry', 'entries')}${more}.`;
}

/** Compares the log with the newest checkpoint in the store. */
function checkpointText({ id, newest }: Log, output: Pick<Output, 'style' | 'width'>): string[] {
  if (newest === null) return [];
  const { at, origin, size, lacks } = newest;
  if (lacks === null) {
    const before = origin.endsWith(`/${id}`) ? '' : ', signed before the store was restored';
    return good(
      `Matches the signed checkpoint of ${instant(at)} (${count(size, 'entry', 'entries')})${before}.`,
      output,
    );
  }
  const what = lacks === 0 ? 'different entries from those' : `${count(lacks, 'fewer entry', 'fewer entries')} than`;
  const text = `The newest signed checkpoint, of ${instant(at)}, belongs to the log from before the store was restored. The log now has ${what} that checkpoint covers.`;
  return hang('- ', text, output.width);
}

function intactText({ entries, chains, pruned }: VerifyResult): string {
  const removed = pruned === 0 ? '' : `; retention has removed ${count(pruned, 'older entry', 'older entries')}`;
  return `Audit log intact: ${count(entries, 'entry', 'entries')} in ${count(chains, 'chain')}${removed}.`;
}

function good(text: string, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  return hang(`${style('green', '✓')} `, text, width);
}

const MATCHED: ReadonlySet<DigestResult['outcome']> = new Set(['matches', 'pruned']);

function digestsText(digests: readonly DigestResult[], output: Pick<Output, 'style' | 'width'>): string[] {
  const matching = digests.filter(({ outcome }) => MATCHED.has(outcome));
  const newest = matching.reduce<DigestResult | null>(
    (last, each) => (last === null || each.day > last.day ? each : last),
    null,
  );
  const unknown = digests.length - matching.length;
  const all = matching.length === 1 ? 'the digest' : `${number(matching.length)} digests, the newest`;
  return [
    ...(newest === null ? [] : good(`Matches ${all} of ${newest.day} (${shortHash(newest.root)}).`, output)),
    ...(unknown === 0
      ? []
      : hang(
          '- ',
          `${count(unknown, 'digest')} cannot be compared: the store lacks the list of chains.`,
          output.width,
        )),
  ];
}

function faultText({ chain, seq, kind, message }: Fault): string {
  const entry = `entry ${number(seq)} of ${chain}`;
  if (kind === 'edit') return `${entry} was edited after it was written (${oneLine(message)})`;
  if (kind === 'gap') return `${entry} is missing`;
  return `${entry}: ${oneLine(message)}`;
}

function digestText({ day, root, outcome, message }: DigestResult): string {
  const why = message === null ? '' : `: ${oneLine(message)}`;
  return `the digest of ${day} (${shortHash(root)}) ${outcome === 'differs' ? 'does not match' : 'is not known here'}${why}`;
}
