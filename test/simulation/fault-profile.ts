import type { Fault } from '../../services/sandbox/engine/faults.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Faults that hit a process at each step: probabilities, and times in ms. */
export interface FaultProfile {
  readonly death: number;
  readonly delay: number;
  readonly longestDelayMs: number;
  /** A store call fails before it has an effect. */
  readonly storeFails: number;
  readonly answerLost: number;
  readonly doubles: number;
  readonly lagMs: number;
  /** The largest clock offset of a process in either direction. */
  readonly skewMs: number;
  readonly faults: readonly Fault[];
}

export const CALM: FaultProfile = {
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

/** Each seed has its own fault profile: some only duplicate messages, some only kill processes, some do everything. */
export function faultProfileOf(chance: SeededRandom): FaultProfile {
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

function faultsOf(chance: SeededRandom): readonly Fault[] {
  const kinds = [
    ...(['throttle', 'unavailable', 'internal', 'denied', 'reset', 'empty-page', 'torn-page', 'slow'] as const),
    ...(['empty-answer', 'null-answer', 'empty-body'] as const),
  ];
  return kinds.flatMap((kind) =>
    chance.happens(0.35) ? [{ kind, probability: (MOST[kind] ?? 0.25) * chance.random(), delayMs: 3_000 }] : [],
  );
}

/** The highest probability of a fault, where it differs from the default. */
const MOST: Partial<Record<Fault['kind'], number>> = { 'torn-page': 0.1, denied: 0.05 };
