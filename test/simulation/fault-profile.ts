import type { Fault } from '../../services/sandbox/engine/faults.ts';
import type { Chance } from './seeded-random.ts';

/** What the world does to a process, per step that it takes; probabilities, and times in ms. */
export interface Weather {
  readonly death: number;
  readonly delay: number;
  readonly longestDelayMs: number;
  /** A store's call fails before it had an effect, or its answer is lost. */
  readonly storeFails: number;
  readonly answerLost: number;
  readonly doubles: number;
  readonly lagMs: number;
  /** How far the clocks of processes are apart. */
  readonly skewMs: number;
  readonly faults: readonly Fault[];
}

export const CALM: Weather = {
  death: 0,
  delay: 0.2,
  longestDelayMs: 50,
  storeFails: 0,
  answerLost: 0,
  doubles: 0,
  lagMs: 0,
  skewMs: 0,
  faults: [],
};

/** Each seed has a weather of its own: some only duplicate, some only kill, some do everything. */
export function weatherOf(chance: Chance): Weather {
  const some = (p: number, most: number): number => (chance.happens(p) ? most * chance.random() : 0);
  return {
    death: some(0.6, 0.004),
    delay: 0.1 + 0.4 * chance.random(),
    longestDelayMs: chance.of([20, 500, 5_000, 40_000]),
    storeFails: some(0.4, 0.004),
    answerLost: some(0.4, 0.004),
    doubles: some(0.5, 0.3),
    lagMs: chance.happens(0.5) ? 1_000 : 0,
    skewMs: chance.of([0, 0, 500, 1_500]),
    faults: faultsOf(chance),
  };
}

function faultsOf(chance: Chance): readonly Fault[] {
  const kinds = [
    ...(['throttle', 'unavailable', 'internal', 'denied', 'reset', 'empty-page', 'torn-page', 'slow'] as const),
    ...(['empty-answer', 'null-answer', 'empty-body'] as const),
  ];
  return kinds.flatMap((kind) =>
    chance.happens(0.35) ? [{ kind, probability: (MOST[kind] ?? 0.25) * chance.random(), delayMs: 3_000 }] : [],
  );
}

/** How probable a fault is at most, where that is not the usual. */
const MOST: Partial<Record<Fault['kind'], number>> = { 'torn-page': 0.1, denied: 0.05 };
