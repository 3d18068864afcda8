import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RARE_STATES } from './rare-states.ts';
import { addReport, emptyReport, inParallel, type Report, say, seedsFrom } from './reports.ts';

/*
 * A few seeds whose histories together reach every rare state. The test suite runs them, so it notices if a state is no longer reached after a
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

function keptHistories(): readonly Kept[] {
  const lines = readFileSync(CORPUS, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [seed = ''] = line.split(' ', 1);
    return { seed: Number(seed), reasons: line.slice(seed.length + 1).split('; ') };
  });
}

/** Some of `kept` that together are kept for every state. The histories with the most states come first. */
function cover(kept: readonly Kept[]): readonly Kept[] {
  const covered = new Set<string>();
  return kept
    .toSorted((a, b) => b.reasons.length - a.reasons.length)
    .filter(({ reasons }) => {
      const adds = reasons.some((state) => !covered.has(state));
      for (const state of reasons) covered.add(state);
      return adds;
    });
}

/**
 * Runs the kept histories. @returns the exit code: 1 if a state is reached by none of them, or an invariant broke
 *
 * @param brief runs one history for each state, and the others only if these miss a state
 */
export async function corpus(brief: boolean): Promise<number> {
  const kept = keptHistories();
  const first = brief ? cover(kept) : kept;
  const sum = emptyReport();
  const run = (histories: readonly Kept[]) =>
    inParallel(
      histories.map(({ seed }) => seed),
      (report) => addReport(sum, report),
    );
  const missed = () => RARE_STATES.filter((state) => sum.rare.every(({ counts }) => counts[state] === undefined));
  await run(first);
  const others = kept.filter((each) => !first.includes(each));
  const wanted = missed();
  const keptForMissed = others.filter(({ reasons }) => wanted.some((state) => reasons.includes(state)));
  await run(keptForMissed);
  if (missed().length > 0) await run(others.filter((each) => !keptForMissed.includes(each)));
  say(sum);
  const unreached = missed();
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
