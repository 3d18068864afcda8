import * as z from 'zod';
import { type Figure, figure } from './figure.ts';
import { roundsOr } from './size.ts';

/** The detail keys that `figure` adds itself; they are computed again from all runs. */
const ofOneRun = z.looseObject({ runs: z.array(z.number()) });
const OWN = new Set(['machine', 'cpu', 'cores', 'node', 'versions', 'load', 'runs', 'median', 'spread']);

/** Runs a bench repeatedly (default 3 times); its figures are the medians, with their spread. */
export function repeated(bench: () => Promise<readonly Figure[]>): () => Promise<readonly Figure[]> {
  return async () => {
    const all: Figure[] = [];
    for (let round = 0; round < roundsOr(3); round += 1) all.push(...(await bench()));
    return [...Map.groupBy(all, ({ name }) => name).values()].map(merged);
  };
}

function merged(figures: readonly Figure[]): Figure {
  const [first] = figures;
  if (first === undefined) throw new RangeError('no figure');
  const { value: _value, met: _met, detail: _detail, ...rest } = first;
  const runs = figures.flatMap(({ detail }) => ofOneRun.parse(detail).runs);
  const details = figures.map(({ detail }) =>
    Object.fromEntries(Object.entries(detail).filter(([name]) => !OWN.has(name))),
  );
  return figure({ ...rest, runs, detail: { details } });
}
