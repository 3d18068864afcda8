import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RARE_STATES } from './rare-states.ts';
import { addReport, emptyReport, inParallel, type Report, say, seedsFrom } from './reports.ts';

/*
 * A few seeds whose histories together reach every rare state. CI runs them, so it notices if a state is no longer reached after a
 * change, which would leave the invariants unchecked there.
 */

/** One seed a line, with the states for which it is kept. */
const CORPUS = fileURLToPath(new URL('../golden/rare-states.txt', import.meta.url));
/** The most seeds to keep. */
const LARGEST = 40;
/** At least this many seeds are kept for each state, if there are as many, because most changes alter some histories. */
const WANTED = 2;

type Rare = Report['rare'];

/** How often each rare state was reached, and by how many histories, one a line. */
export function tableOf(rare: Rare): string {
  const lines = RARE_STATES.map((state) => {
    const counts = rare.flatMap(({ counts }) => counts[state] ?? []);
    const total = counts.reduce((sum, count) => sum + count, 0);
    return `${String(total).padStart(8)} in ${String(counts.length).padStart(6)} histories  ${state}\n`;
  });
  return lines.join('');
}

function keptSeeds(): readonly number[] {
  return readFileSync(CORPUS, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split(' ', 1)[0]));
}

/** Runs the kept histories. @returns the exit code: 1 if none of them reaches one of the states, or an invariant broke */
export async function corpus(): Promise<number> {
  const sum = emptyReport();
  await inParallel(keptSeeds(), (report) => addReport(sum, report));
  say(sum);
  const unreached = RARE_STATES.filter((state) => sum.rare.every(({ counts }) => counts[state] === undefined));
  process.stdout.write(`${JSON.stringify({ corpus: sum.seeds, unreached, broken: sum.broken.length })}\n`);
  return unreached.length + sum.broken.length > 0 ? 1 : 0;
}

/** Chooses the seeds to keep among the first `count`. @returns the exit code: 1 if a state is reached by none of them */
export async function renewCorpus(count: number): Promise<number> {
  const sum = emptyReport();
  await inParallel(seedsFrom(1, count), (report) => {
    say(report);
    addReport(sum, report);
  });
  const kept = chosen(sum.rare);
  const lines = kept.map(({ seed, reasons }) => `${seed} ${reasons.join('; ')}\n`);
  writeFileSync(CORPUS, lines.join(''));
  process.stdout.write(tableOf(sum.rare));
  const unreached = RARE_STATES.filter((state) => kept.every(({ reasons }) => !reasons.includes(state)));
  process.stdout.write(`${JSON.stringify({ kept: kept.length, unreached })}\n`);
  return unreached.length > 0 ? 1 : 0;
}

interface Kept {
  readonly seed: number;
  readonly reasons: readonly string[];
}

/** Greedy: the next history is the one that reaches the most wanted states per call. */
function chosen(rare: Rare): readonly Kept[] {
  const wanted = new Map<string, number>(RARE_STATES.map((state) => [state, WANTED]));
  const left = new Set(rare);
  const kept: Kept[] = [];
  const wantedOf = ({ counts }: Rare[number]): string[] =>
    Object.keys(counts).filter((state) => (wanted.get(state) ?? 0) > 0);
  while (kept.length < LARGEST) {
    const [best] = [...left]
      .map((history) => ({ history, reasons: wantedOf(history) }))
      .toSorted((a, b) => b.reasons.length / b.history.calls - a.reasons.length / a.history.calls);
    if (best === undefined || best.reasons.length === 0) break;
    for (const state of best.reasons) wanted.set(state, (wanted.get(state) ?? 0) - 1);
    left.delete(best.history);
    kept.push({ seed: best.history.seed, reasons: best.reasons });
  }
  return kept.toSorted((a, b) => a.seed - b.seed);
}
