import { compareModels, type Difference, newOperations } from './compare.ts';
import type { ServiceModel } from './model.ts';
import type { Published, Publisher } from './published.ts';
import type { Baseline, UsedService } from './used.ts';

export interface ServiceResult {
  readonly service: string;
  /** The published models that were read. */
  readonly sources: readonly string[];
  readonly differences: readonly Difference[];
  /** Why the service, or some of its operations, could not be compared. */
  readonly failures: readonly string[];
  /** What the source cannot state. */
  readonly notes: readonly string[];
  /** Every operation that the published models have. */
  readonly operations: readonly string[];
}

/** The operations that somebody has reviewed, used or not, by service. */
export type KnownOperations = Readonly<Record<string, readonly string[]>>;

const NO_CONSTRAINTS = 'lengths, ranges and patterns: a JavaScript client does not state them';
const NOT_RECORDED = 'new operations: none are recorded yet (run with --accept)';

/** Compares each of the service's baselines with a published model of the same kind. */
export async function checkService(
  service: UsedService,
  publishers: Readonly<Record<Baseline['from'], Publisher>>,
  known: KnownOperations,
): Promise<ServiceResult> {
  const recorded = known[service.name];
  const read = new Map<string, ServiceModel>();
  const differences: Difference[] = [];
  const failures = new Set<string>();
  for (const { model, from, operations } of service.baselines) {
    try {
      const published: Published = await publishers[from](service);
      if ('reason' in published) failures.add(published.reason);
      else {
        differences.push(...compareModels(model, published, operations));
        read.set(published.source, published);
      }
    } catch (error) {
      failures.add(error instanceof Error ? error.message : String(error));
    }
  }
  const models = [...read.values()];
  const names = [...new Set(models.flatMap((model) => [...model.operations.keys()]))].sort();
  const notes = [
    ...(models.some((model) => !model.hasConstraints) ? [NO_CONSTRAINTS] : []),
    ...(recorded === undefined ? [NOT_RECORDED] : []),
  ];
  return {
    service: service.name,
    sources: [...read.keys()],
    differences: [...differences, ...(recorded === undefined ? [] : newOperations(names, recorded))],
    failures: [...failures],
    notes: models.length === 0 ? [] : notes,
    operations: names,
  };
}

/** 0: no difference, 1: a difference, 2: no difference found, but something could not be compared. */
export function exitCode(results: readonly ServiceResult[]): 0 | 1 | 2 {
  if (results.some(({ differences }) => differences.length > 0)) return 1;
  return results.some(({ failures }) => failures.length > 0) ? 2 : 0;
}

/** The operations to record as known. None is removed: an older package on npm may lack the newest ones. */
export function acceptOperations(known: KnownOperations, results: readonly ServiceResult[]): KnownOperations {
  const merged = new Map(Object.entries(known));
  for (const { service, operations } of results)
    if (operations.length > 0)
      merged.set(service, [...new Set([...(merged.get(service) ?? []), ...operations])].sort());
  return Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}
